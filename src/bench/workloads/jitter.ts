/** How much work job `n` is, whose work is `amount` give or take `jitter` of it. The same job has always the same. */
export function jittered(amount: number, jitter: number, n: number): number {
  return Math.max(1, Math.round(amount * (1 + jitter * (2 * shareOf(n) - 1))));
}

/** 0 to 1, as if by chance: the finalizer of MurmurHash3 (32 bits, Austin Appleby), which spreads numbers evenly. */
function shareOf(n: number): number {
  let hash = (n + 1) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
