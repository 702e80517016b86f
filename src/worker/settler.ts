import type { Clock } from '../core/clock.ts';
import { LongshoreError } from '../core/errors.ts';
import type { JobState } from '../core/job-state.ts';
import type { Outcome, OutcomeType } from '../core/outcome.ts';
import type { Lease, Settlement, SettleReceipt, Store } from '../store/store.ts';
import type { EventBus } from '../telemetry/events.ts';
import { BackoffTimer } from './backoff-timer.ts';
import { facts } from './executor.ts';

/**
 * Collects outcomes and writes them in batches: executor -> settler -> store.settle -> events. An outcome stays here
 * until the store has it; while the store is away it is tried again, and the leases are kept by the lease keeper.
 */
export interface SettlerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly workerId: string;
  readonly random: () => number;
  /** Something was settled: there may be room to fetch, or nothing left to wait for. */
  readonly onSettled: () => void;
}

/** How many attempts ended in which way; `lost` outcomes were refused by the store. */
export type Tally = Record<OutcomeType | 'lost', number>;

export function emptyTally(): Tally {
  return { completed: 0, retried: 0, failed: 0, cancelled: 0, snoozed: 0, released: 0, lost: 0 };
}

interface Ended {
  readonly lease: Lease;
  readonly outcome: Outcome;
  readonly runMs: number;
}

export class Settler {
  readonly tally: Tally = emptyTally();
  readonly #options: SettlerOptions;
  readonly #backoff: BackoffTimer;
  #ended: Ended[] = [];
  #inFlight = 0;

  constructor(options: SettlerOptions) {
    this.#options = options;
    this.#backoff = new BackoffTimer(options.clock, options.random);
  }

  /** Outcomes that are not in the store yet. */
  get pending(): number {
    return this.#ended.length + this.#inFlight;
  }

  add(lease: Lease, outcome: Outcome, runMs: number): void {
    this.#ended.push({ lease, outcome, runMs });
  }

  release(leases: readonly Lease[]): void {
    for (const lease of leases) this.add(lease, { type: 'released' }, 0);
  }

  /** Writes what was collected, in one batch. */
  flush(): void {
    if (this.#ended.length === 0 || this.#backoff.waiting) return;
    const batch = this.#ended;
    this.#ended = [];
    void this.#write(batch);
  }

  /** Forgets the outcomes that could not be written; their leases will expire. Returns how many. */
  abandon(): number {
    this.#backoff.reset();
    const forgotten = this.#ended.length;
    this.#ended = [];
    return forgotten;
  }

  async #write(batch: readonly Ended[]): Promise<void> {
    const { store, events, workerId, onSettled } = this.#options;
    this.#inFlight += batch.length;
    const began = performance.now();
    try {
      const receipts = await store.settle(batch.map(settlement));
      this.#inFlight -= batch.length;
      this.#backoff.reset();
      if (events.wants('worker.settled')) {
        events.emit('worker.settled', { workerId, jobs: batch.length, tookMs: performance.now() - began });
      }
      for (let index = 0; index < batch.length; index += 1) {
        this.#report(batch[index] as Ended, receipts[index] as SettleReceipt);
      }
    } catch (error) {
      this.#inFlight -= batch.length;
      this.#failed(batch, error);
    }
    onSettled();
  }

  #failed(batch: readonly Ended[], error: unknown): void {
    const { events } = this.#options;
    if (error instanceof LongshoreError && !error.retryable && batch.length > 1) {
      // One outcome the store cannot take must not hold the others back.
      for (const ended of batch) void this.#write([ended]);
      events.emit('store.failed', { verb: 'settle', error, retryMs: 0 });
      return;
    }
    if (error instanceof LongshoreError && !error.retryable) {
      this.tally.lost += 1;
      events.emit('store.failed', { verb: 'settle', error, retryMs: null });
      return;
    }
    this.#ended.unshift(...batch);
    const retryMs = this.#backoff.retry(() => this.flush());
    events.emit('store.failed', { verb: 'settle', error, retryMs });
  }

  #report({ lease, outcome, runMs }: Ended, receipt: SettleReceipt): void {
    const { events } = this.#options;
    if (receipt.status === 'lost') {
      this.tally.lost += 1;
      if (events.wants('job.lost')) events.emit('job.lost', { ...facts(lease), outcome: outcome.type });
      return;
    }
    const type = typeOf(outcome, receipt.state);
    this.tally[type] += 1;
    const name = `job.${type}` as const;
    if (!events.wants(name)) return;
    const end = { ...facts(lease), waitMs: Math.max(0, lease.claimedAt - lease.dueAt), runMs };
    const error = 'error' in outcome && outcome.error !== null ? { error: outcome.error } : {};
    const delay = 'delayMs' in outcome ? { delayMs: outcome.delayMs } : {};
    events.emit(name, { ...end, ...error, ...delay } as never);
  }
}

function settlement({ lease, outcome }: Ended): Settlement {
  return { id: lease.id, token: lease.token, outcome };
}

/** The settle rule may have decided otherwise than the worker: a retry without attempts left failed, a cancel won. */
function typeOf(outcome: Outcome, state: JobState): OutcomeType {
  if (state === 'cancelled') return 'cancelled';
  if (state === 'failed') return 'failed';
  return outcome.type;
}
