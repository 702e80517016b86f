/**
 * The work of so many jobs, each `amount` give or take `jitter` of it. Jobs go in pairs, of which one has as much more as
 * the other has less, and one that is left over has neither: all together they are exactly as much as without jitter.
 * Always the same for the same number of jobs.
 */
export function jittered(amount: number, jitter: number, jobs: number): number[] {
  const even = Math.max(1, Math.round(amount));
  const amounts = new Array<number>(jobs).fill(even);
  for (let n = 0; n + 1 < jobs; n += 2) {
    const more = Math.round(amount * jitter * (2 * shareOf(n) - 1));
    const moved = Math.max(1 - even, Math.min(even - 1, more));
    amounts[n] = even + moved;
    amounts[n + 1] = even - moved;
  }
  return amounts;
}

/** 0 to 1, as if by chance: the finalizer of MurmurHash3 (32 bits, Austin Appleby), which spreads numbers evenly. */
function shareOf(n: number): number {
  let hash = (n + 1) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
