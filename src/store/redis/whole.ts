import type { Lease, Settlement } from '../store.ts';

/**
 * What this store object claimed and nothing was settled of yet, in the order of the claims. Where all jobs of a batch are
 * completed at once, which is how it goes with short ones, their ids need not be sent, nor each of their records written:
 * lua/_whole.lua.
 */
export class WholeBatches {
  readonly #known = new Map<number, { readonly claimId: string; readonly leases: readonly Lease[] }>();

  add(claimId: string, leases: readonly Lease[]): void {
    const [first] = leases;
    if (first === undefined || leases.length < WHOLE_MIN) return;
    this.#known.set(batchNumber(first.token), { claimId, leases });
    if (this.#known.size > BATCHES_MAX) this.#known.delete(this.#known.keys().next().value as number);
  }

  /**
   * The batch of which all jobs are completed by `settlements` from this place on, one by one in their order; null where it
   * is not so. A batch is asked for once: what was begun one by one goes on so.
   */
  take(settlements: readonly Settlement[], from: number): WholeBatch | null {
    if (this.#known.size === 0) return null;
    const number = batchNumber((settlements[from] as Settlement).token);
    const known = this.#known.get(number);
    if (known === undefined) return null;
    this.#known.delete(number);
    const { claimId, leases } = known;
    if (settlements.length - from < leases.length) return null;
    const results: (string | null)[] = [];
    for (let index = 0; index < leases.length; index += 1) {
      const { id, token, outcome } = settlements[from + index] as Settlement;
      const lease = leases[index] as Lease;
      if (outcome.type !== 'completed' || token !== lease.token || id !== lease.id) return null;
      results.push(outcome.result);
    }
    return { number, claimId, results };
  }
}

export interface WholeBatch {
  readonly number: number;
  /** A server that lost what it was told last gives numbers again, to other jobs. */
  readonly claimId: string;
  /** Of each job, in the order of the claim. */
  readonly results: readonly (string | null)[];
}

/** As in lua/_whole.lua: fewer are as cheap one by one. */
const WHOLE_MIN = 10;
/** A worker has a few under way; what was lost is never settled. */
const BATCHES_MAX = 32;

/** What the token begins with. */
function batchNumber(token: string): number {
  return Number.parseInt(token, 10);
}
