/**
 * Work for a processor: the generator xorshift32 (Marsaglia, "Xorshift RNGs", 2003), step after step. Each needs the one
 * before, and no compiler can make one of two; yet each is a linear map of bits, so that where many lead can be known
 * without going there (`computedAfter`), and each job's result can be checked. Shifts and exclusive ors alone, since
 * sums that overflow take three times as long in one of the engine's compilers as in the next.
 */
export function compute(state: number, iterations: number): number {
  let value = state;
  // In short rounds: the loop in them is compiled on its own, soon and once for all, however long the whole is.
  for (let left = iterations; left > 0; left -= ROUND) value = walk(value, Math.min(left, ROUND));
  return value;
}

const ROUND = 1_000;

function walk(state: number, steps: number): number {
  let value = state;
  for (let step = 0; step < steps; step += 1) {
    value ^= value << 13;
    value ^= value >>> 17;
    value ^= value << 5;
  }
  return value;
}

/** Where `compute` ends: the map to the power of `iterations`, by squaring. A map is what becomes of each bit. */
export function computedAfter(state: number, iterations: number): number {
  let value = state | 0;
  let map = Array.from({ length: 32 }, (_, bit) => walk(1 << bit, 1));
  for (let left = iterations; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) value = mapped(value, map);
    map = map.map((bits) => mapped(bits, map));
  }
  return value;
}

function mapped(value: number, map: readonly number[]): number {
  return map.reduce((all, bits, bit) => ((value >>> bit) & 1 ? all ^ bits : all), 0);
}

/** Where job `n` starts: anywhere but at 0, which leads nowhere. */
export function seedOf(n: number): number {
  return n + 1;
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
