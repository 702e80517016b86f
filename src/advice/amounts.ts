/** Figures as sentences have them. */
export function ms(value: number): string {
  if (value >= 60_000) return `${number(value / 60_000)} min`;
  if (value >= 1_000) return `${number(value / 1_000)} s`;
  return `${number(value)} ms`;
}

/** At most three digits, whole thousands grouped. */
export function number(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(2)));
}

export function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

/** `1 job`, `3 jobs`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
