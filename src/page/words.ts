/** Times, spans and counts as people read them. */
const STEPS: readonly (readonly [ms: number, word: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
];

export function span(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  const [unitMs, word] = STEPS.find(([least]) => ms >= least) as readonly [number, string];
  const value = ms / unitMs;
  return `${value < 10 ? Math.round(value * 10) / 10 : Math.round(value)} ${word}`;
}

export function ago(at: number, now = Date.now()): string {
  return at <= now ? `${span(now - at)} ago` : `in ${span(at - now)}`;
}

const EXACT = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const CLOCK = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

export function exact(at: number): string {
  return EXACT.format(at);
}

export function clock(at: number): string {
  return CLOCK.format(at);
}

const COUNT = new Intl.NumberFormat('en');

export function count(value: number): string {
  return COUNT.format(value);
}

export function rate(perS: number): string {
  return perS >= 100 ? count(Math.round(perS)) : String(Math.round(perS * 10) / 10);
}

export function plural(value: number, word: string): string {
  return `${count(value)} ${word}${value === 1 ? '' : 's'}`;
}
