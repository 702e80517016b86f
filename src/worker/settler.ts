import type { Clock } from '../core/clock.ts';
import { type ErrorCode, LongshoreError, toAttemptError } from '../core/errors.ts';
import type { JobState } from '../core/job-state.ts';
import type { Outcome, OutcomeType } from '../core/outcome.ts';
import type { Lease, Settlement, SettleReceipt, Store } from '../store/store.ts';
import type { EventBus, EventName } from '../telemetry/events.ts';
import { BackoffTimer } from './backoff-timer.ts';
import { facts } from './facts.ts';

/**
 * Collects outcomes and writes them in batches: executor -> settler -> store.settle -> events. An outcome stays here
 * until the store has it; while the store is away it is tried again, and the leases are kept by the lease keeper.
 * Only an outcome that the store refuses while it takes others is given up: its job becomes a dead letter.
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
  /** No handler asked for it: a snooze is not told. */
  readonly passedBy: boolean;
  /** How often the store refused it when it was written alone. */
  refusals: number;
}

/** An outcome the store refuses this often, with an error nobody expected, is held to be at fault itself. */
const REFUSALS_MAX = 3;

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

  /** Outcomes are on their way to the store. */
  get writing(): boolean {
    return this.#inFlight > 0;
  }

  /** `passedBy`: no handler ran. */
  add(lease: Lease, outcome: Outcome, runMs: number, passedBy = false): void {
    this.#ended.push({ lease, outcome, runMs, passedBy, refusals: 0 });
  }

  release(leases: readonly Lease[]): void {
    for (const lease of leases) this.add(lease, { type: 'released' }, 0);
  }

  /** The job belongs to somebody else: its outcome does not count. `outcome` is what it was, if it is known. */
  lose(lease: Lease, outcome: OutcomeType | 'unknown'): void {
    const { events } = this.#options;
    this.tally.lost += 1;
    if (events.wants('job.lost')) events.emit('job.lost', { ...facts(lease), outcome });
  }

  /** Writes what was collected, in one batch. Returns whether there was something. */
  flush(): boolean {
    if (this.#ended.length === 0 || this.#backoff.waiting) return false;
    const batch = this.#ended;
    this.#ended = [];
    void this.#write(batch);
    return true;
  }

  /** One last try for what waits for its next one: the store may be there again. */
  async lastTry(): Promise<void> {
    this.#backoff.reset();
    const batch = this.#ended;
    this.#ended = [];
    if (batch.length > 0) await this.#write(batch);
    this.abandon();
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
    const failed = (retryMs: number | null): void =>
      events.emit('store.failed', { verb: 'settle', error, retryMs });
    const code = error instanceof LongshoreError ? error.code : 'STORE_FAILED';
    if (code === 'STORE_CLOSED') {
      this.tally.lost += batch.length;
      failed(null);
      return;
    }
    const [first] = batch as readonly [Ended];
    if (mayBlameAnOutcome(code)) {
      if (batch.length > 1) {
        // One outcome the store cannot take must not hold the others back.
        failed(0);
        for (const ended of batch) void this.#write([ended]);
        return;
      }
      first.refusals += code === 'STORE_FAILED' ? 1 : REFUSALS_MAX;
      if (first.refusals >= REFUSALS_MAX) {
        failed(0);
        void this.#writeRefusal(first, error);
        return;
      }
    }
    failed(this.#retry(batch));
  }

  /** Makes a dead letter that says why, of a job whose outcome the store does not take. */
  async #writeRefusal(refused: Ended, error: unknown): Promise<void> {
    const { store, clock, events, onSettled } = this.#options;
    const { lease } = refused;
    const failed = { type: 'failed', error: toAttemptError(error, lease.attempt, clock.now()) } as const;
    const ended = { ...refused, outcome: failed };
    this.#inFlight += 1;
    try {
      const [receipt] = await store.settle([settlement(ended)]);
      this.#inFlight -= 1;
      this.#report(ended, receipt as SettleReceipt);
    } catch (again) {
      // The store takes nothing at all: the outcome is not to blame, and stays.
      this.#inFlight -= 1;
      events.emit('store.failed', { verb: 'settle', error: again, retryMs: this.#retry([refused]) });
    }
    onSettled();
  }

  #retry(batch: readonly Ended[]): number {
    this.#ended.unshift(...batch);
    return this.#backoff.retry(() => void this.flush());
  }

  #report({ lease, outcome, runMs, passedBy }: Ended, receipt: SettleReceipt): void {
    const { events } = this.#options;
    if (receipt.status === 'lost') {
      this.lose(lease, outcome.type);
      return;
    }
    const type = typeOf(outcome, receipt.state);
    this.tally[type] += 1;
    const name = EVENT_OF[type];
    if (!events.wants(name) || (passedBy && type === 'snoozed')) return;
    const end = { ...facts(lease), waitMs: Math.max(0, lease.claimedAt - lease.dueAt), runMs };
    const error = 'error' in outcome && outcome.error !== null ? { error: outcome.error } : {};
    const delay = 'delayMs' in outcome ? { delayMs: outcome.delayMs } : {};
    events.emit(name, { ...end, ...error, ...delay } as never);
  }
}

/** Not put together for each job: to look something up by a text that is new each time is slow. */
const EVENT_OF = {
  completed: 'job.completed',
  retried: 'job.retried',
  failed: 'job.failed',
  cancelled: 'job.cancelled',
  snoozed: 'job.snoozed',
  released: 'job.released',
} as const satisfies Record<OutcomeType, EventName>;

/** Whether the fault may lie in what was written. Most faults of the store itself have codes of their own. */
function mayBlameAnOutcome(code: ErrorCode): boolean {
  return code === 'STORE_FAILED' || !code.startsWith('STORE_');
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
