/**
 * The name of a run's job or child run in its plan reference: `s` for a step's job or run, `i` for one of many
 * (a fan-out, a loop), `u` for an undo; then the step, how often it was started anew, and the index.
 */
export interface PartName {
  readonly kind: 's' | 'i' | 'u';
  readonly step: string;
  readonly gen: number;
  readonly index: number;
}

export function partText(kind: PartName['kind'], step: string, gen: number, index = 0): string {
  return kind === 'i' ? `i:${step}:${gen}:${index}` : `${kind}:${step}:${gen}`;
}

/** Null for what names no part, such as a signal. */
export function parsePart(as: string): PartName | null {
  const [kind, step, gen, index] = as.split(':');
  if (kind !== 's' && kind !== 'i' && kind !== 'u') return null;
  return { kind, step: step ?? '', gen: Number(gen), index: Number(index ?? 0) };
}

const SIGNAL = 'signal:';

export function signalText(name: string): string {
  return `${SIGNAL}${name}`;
}

export function parseSignal(as: string): string | null {
  return as.startsWith(SIGNAL) ? as.slice(SIGNAL.length) : null;
}

/** Sent to a child run by its parent; the second one where the parent undoes what it did. */
export const CANCEL = 'cancel';
export const CANCEL_AND_UNDO = 'cancel:undo';
