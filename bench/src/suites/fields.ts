/** What a field of a file must be. */
export interface FieldRule {
  /** As the message says it. */
  readonly expected: string;
  readonly holds: (value: unknown) => boolean;
}

/** What is wrong with the fields of one object: absent ones, unknown ones, and those whose value breaks its rule. */
export function faultsOf(value: unknown, rules: Readonly<Record<string, FieldRule>>): string[] {
  if (!isRecord(value)) return [`is ${show(value)}; expected an object.`];
  const faults: string[] = [];
  for (const [field, { expected, holds }] of Object.entries(rules)) {
    if (!Object.hasOwn(value, field)) faults.push(`${field} is missing; expected ${expected}.`);
    else if (!holds(value[field])) faults.push(`${field} is ${show(value[field])}; expected ${expected}.`);
  }
  const known = Object.keys(rules);
  for (const field of Object.keys(value))
    if (!known.includes(field))
      faults.push(`${show(field)} is no field of it; expected nothing but ${known.join(', ')}.`);
  return faults;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const whole = (min: number, max: number): FieldRule => ({
  expected: `a whole number from ${min} to ${max}`,
  holds: (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
});

export const between = (min: number, max: number): FieldRule => ({
  expected: `a number from ${min} to ${max}`,
  holds: (value) => typeof value === 'number' && value >= min && value <= max,
});

export const oneOf = (values: readonly string[]): FieldRule => ({
  expected: values.map((value) => JSON.stringify(value)).join(', '),
  holds: (value) => values.includes(value as string),
});

/** A value on one line, short. What is inside of lists and objects, however deep, is not shown. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value !== 'string') return String(value);
  return JSON.stringify(value.length > CHARACTERS_MAX ? `${value.slice(0, CHARACTERS_MAX)}…` : value);
}

const CHARACTERS_MAX = 60;
