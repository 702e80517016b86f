import type { BeatReceipt, GivenBack, Store } from '../store/store.ts';
import type { EventBus } from '../telemetry/events.ts';
import { correlationIds } from './correlated.ts';

export interface StraysOptions {
  readonly store: Store;
  readonly events: EventBus;
  readonly workerId: string;
  /** Ids of all jobs that the worker has: those that wait, run, or whose outcomes are not in the store yet. */
  readonly known: () => ReadonlySet<string>;
  /** How many claims began so far, and whether the last one is under way. */
  readonly claims: () => { readonly begun: number; readonly underWay: boolean };
}

/**
 * Finds the jobs that the store has this worker hold and that the worker does not have: a claim was committed, and its answer
 * could not be read. Beats would renew their leases until the worker stops, so they are given back.
 * A job that has just ended looks the same in one receipt, so it takes two in a row.
 */
export class Strays {
  readonly #options: StraysOptions;
  #suspects: ReadonlySet<string> = new Set();
  /** Store time of the receipt that had the suspects, and the number of claims that had begun by then. */
  #since = 0;
  #begun = 0;

  constructor(options: StraysOptions) {
    this.#options = options;
  }

  /** Resolves when what is to go back has gone back. Never rejects: it is tried again after the next beat. */
  async look({ held, now }: BeatReceipt): Promise<void> {
    const { store, events, workerId, known, claims } = this.#options;
    const has = known();
    const unknown = held.filter((id) => !has.has(id));
    const { begun, underWay } = claims();
    const jobs = unknown.filter((id) => this.#suspects.has(id));
    // A claim that is as old as the suspects may yet bring them.
    if (jobs.length > 0 && underWay && begun <= this.#begun) return;
    const before = this.#since;
    this.#suspects = new Set(unknown);
    this.#since = now;
    this.#begun = begun;
    if (jobs.length === 0) return;
    try {
      await tellGivenBack(store, events, await store.disown({ workerId, jobs, before }));
    } catch (error) {
      events.emit('store.failed', { verb: 'disown', error, retryMs: null });
    }
  }
}

/** Events of jobs that went back without an outcome of their worker's. */
export async function tellGivenBack(
  store: Store,
  events: EventBus,
  jobs: readonly GivenBack[],
): Promise<void> {
  const correlated = await correlationIds(
    store,
    jobs.map(({ id }) => id),
  );
  for (const [index, { id, queue, task, attempt, state }] of jobs.entries()) {
    const facts = { id, queue, task, attempt, correlationId: correlated[index] as string };
    if (state === 'cancelled') events.emit('job.cancelled', { ...facts, waitMs: 0, runMs: 0 });
    else events.emit('job.released', facts);
  }
}
