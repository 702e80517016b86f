/** Looks values up in a document whose shape is not known. What is not there, or is of another type, is null. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function at(value: unknown, ...names: readonly string[]): unknown {
  let found = value;
  for (const name of names) {
    if (!isRecord(found) || !Object.hasOwn(found, name)) return null;
    found = found[name];
  }
  return found;
}

export function recordAt(value: unknown, ...names: readonly string[]): Readonly<Record<string, unknown>> {
  const found = at(value, ...names);
  return isRecord(found) ? found : {};
}

/** Items that are objects. */
export function itemsAt(
  value: unknown,
  ...names: readonly string[]
): readonly Readonly<Record<string, unknown>>[] {
  const found = at(value, ...names);
  return Array.isArray(found) ? found.filter(isRecord) : [];
}

export function numberAt(value: unknown, ...names: readonly string[]): number | null {
  return asNumber(at(value, ...names));
}

export function numbersAt(value: unknown, ...names: readonly string[]): readonly number[] {
  const found = at(value, ...names);
  return Array.isArray(found) ? found.filter((one): one is number => asNumber(one) !== null) : [];
}

/** The median; NaN of nothing. */
export function middleOf(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2;
}

export function textAt(value: unknown, ...names: readonly string[]): string | null {
  const found = at(value, ...names);
  return typeof found === 'string' && found !== '' ? found : null;
}

function asNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
