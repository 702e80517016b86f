import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The handlers of measured jobs: nothing, wait, or compute. Work is fixed, not time: a handler that computes digests the same
 * bytes wherever it runs, in another language, too, so a machine that is busy shows.
 */
export const HANDLERS = ['none', 'wait-1', 'compute-1', 'wait-50'] as const;
export type HandlerName = (typeof HANDLERS)[number];

export function handlerOf(name: string, digests: number): () => unknown {
  if (name === 'none') return () => undefined;
  if (name === 'wait-1') return () => sleep(1);
  if (name === 'wait-50') return () => sleep(50);
  if (name === 'compute-1') return () => compute(digests);
  throw new Error(`There is no handler ${JSON.stringify(name)}; there are ${HANDLERS.join(', ')}.`);
}

/** SHA-256 of 16 kB, again and again: native code in every system that is measured. The last digest, in hex. */
export function compute(digests: number): string {
  const block = Buffer.alloc(BLOCK_BYTES, 1);
  let digest = '';
  for (let n = 0; n < digests; n += 1) {
    digest = createHash('sha256').update(block).digest('hex');
    block.write(digest, 0, 'latin1');
  }
  return digest;
}

const BLOCK_BYTES = 16_384;

/** How many digests take a core 1 ms: of the quickest of some tries, since others disturb but never help. */
export function digestsInOneMs(): number {
  const digests = 200;
  compute(digests);
  const took = Array.from({ length: 9 }, () => {
    const began = performance.now();
    compute(digests);
    return performance.now() - began;
  });
  return Math.max(1, Math.round(digests / Math.min(...took)));
}
