/**
 * Sampling by what belongs together: all jobs of one correlation id (core/inherited.ts) are traced, or none of them is. Decided
 * from the text alone, so that every process decides alike.
 */
export function isChosen(correlationId: string, ratio: number): boolean {
  return ratio >= 1 || hash(correlationId) / 2 ** 32 < ratio;
}

/** FNV-1a, with the last mixing steps of MurmurHash3: ids differ in few characters. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}
