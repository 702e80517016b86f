/**
 * Work for a processor: a chain of multiplications modulo 2^32. Each step needs the one before, so that no compiler can
 * leave one out; yet where it ends can be known without walking there (`computedAfter`), so that each job's result can
 * be checked. Nothing but `Math.imul`: a sum would be computed three times as slowly by one of the engine's two
 * compilers, and which of them has it depends on what ran before.
 */
const MULTIPLIER = 747_796_405;

/** Takes `iterations` steps from an odd `state`: one that is even would soon be 0. */
export function compute(state: number, iterations: number): number {
  let value = state | 0;
  // In rounds whose counter stays a small integer: past 2^31 each step would be slower, and calibration wrong.
  for (let left = iterations; left > 0; left -= ROUND) value = walk(value, Math.min(left, ROUND) | 0);
  return value;
}

const ROUND = 1_000_000;

/** Called so often that all that counts runs in its compiled code, however long or short the whole is. */
function walk(state: number, steps: number): number {
  let value = state;
  for (let step = 0; step < steps; step += 1) value = Math.imul(value, MULTIPLIER);
  return value;
}

/** Where `compute` ends: the power of the multiplier, by squaring. */
export function computedAfter(state: number, iterations: number): number {
  let [value, multiplier] = [state | 0, MULTIPLIER];
  for (let left = iterations; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) value = Math.imul(value, multiplier);
    multiplier = Math.imul(multiplier, multiplier);
  }
  return value;
}

/** Where job `n` starts. */
export function seedOf(n: number): number {
  return 2 * n + 1;
}

/** One part of work that is shared out. */
export interface Share {
  readonly seed: number;
  readonly iterations: number;
}

/** Splits the work of job `n` into parts with seeds of their own, which together take as many steps. */
export function shares(n: number, iterations: number, parts: number): Share[] {
  return Array.from({ length: parts }, (_, part) => ({
    seed: seedOf(n * parts + part),
    iterations: Math.floor(((part + 1) * iterations) / parts) - Math.floor((part * iterations) / parts),
  }));
}

/** One result of all parts'. */
export function joined(results: readonly number[]): number {
  return results.reduce((all, result) => all ^ result, 0);
}
