import type { Lease } from '../store/store.ts';

/**
 * A job whose workers died under it as often as it may, except once, is a suspect: it runs alone, so that if the
 * worker dies again the blame is certain, and no other job is charged for it.
 */
export function isSuspect({ crashes }: Pick<Lease, 'crashes'>, crashesMax: number): boolean {
  return crashesMax > 1 && crashes >= crashesMax - 1;
}
