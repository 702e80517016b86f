import { charsOfSettlement, fitting } from '../core/batch.ts';
import type { Clock } from '../core/clock.ts';
import { type ErrorCode, LongshoreError, mayBlameAnItem, toAttemptError } from '../core/errors.ts';
import type { Outcome, OutcomeType } from '../core/outcome.ts';
import type { Planner } from '../flow/planner.ts';
import type { Lease, SettleReceipt, Store } from '../store/store.ts';
import type { EventBus } from '../telemetry/events.ts';
import { BackoffTimer } from './backoff-timer.ts';
import { type Beside, settleBeside } from './beside.ts';
import { type Ended, emitEnd, emptyTally, settlement, type Tally, type Told, typeOf } from './ended.ts';
import { facts } from './facts.ts';
import { plansAhead, plansOf } from './plans-of.ts';
import type { Traces } from './traces.ts';
import { stillInTrouble, type Trouble } from './trouble.ts';

/**
 * Collects outcomes and writes them in batches: executor -> settler -> store.settle -> events. An outcome stays here
 * until the store has it; while the store is away it is tried again, and the leases are kept by the lease keeper.
 * Only an outcome that the store refuses while it takes others is given up: its job becomes a dead letter.
 *
 * Batches are bounded in characters. A failure halves the next one and a success doubles it, so an outcome that breaks every
 * connection it is written on comes to be written alone, whatever the error says. From then on it never goes with others again.
 */
export interface SettlerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly workerId: string;
  /** Null: nothing is traced. */
  readonly traces: Traces | null;
  readonly random: () => number;
  /** Told of the plans that jobs reported to by ending. */
  readonly planner: Pick<Planner, 'ahead' | 'kick'>;
  /** Something was settled: there may be room to fetch, or nothing left to wait for. */
  readonly onSettled: () => void;
}

/** An outcome the store refuses this often, with an error nobody expected, is held to be at fault itself. */
const REFUSALS_MAX = 3;
/** The same where the error is one of an outage, but others were written between all of these tries. */
const OUTAGES_MAX = 10;

export class Settler {
  readonly tally: Tally = emptyTally();
  readonly #options: SettlerOptions;
  readonly #backoff: BackoffTimer;
  #ended: Ended[] = [];
  #inFlight = 0;
  readonly #writes = new Set<readonly Ended[]>();
  #batchMax = Number.POSITIVE_INFINITY;
  #batchesWritten = 0;
  #returning = 0;
  /** Since when outcomes cannot be written, and why; null when they can. */
  trouble: Trouble | null = null;

  constructor(options: SettlerOptions) {
    this.#options = options;
    this.#backoff = new BackoffTimer(options.clock, options.random);
  }

  /** Outcomes that are not in the store yet. */
  get pending(): number {
    return this.#ended.length + this.#inFlight;
  }

  /** Of the jobs whose outcomes are not in the store yet. */
  leases(): Lease[] {
    return [...this.#writes, this.#ended].flatMap((batch) => batch.map(({ lease }) => lease));
  }

  /** Outcomes are on their way to the store. */
  get writing(): boolean {
    return this.#inFlight > 0;
  }

  /**
   * Jobs are on their way back to the store: what is claimed before they are there would overtake them. One that the
   * store refuses to take back holds up nothing.
   */
  get givingBack(): boolean {
    return this.#returning > 0;
  }

  /** `passedBy`: no handler ran. */
  add(
    lease: Lease,
    outcome: Outcome,
    runMs: number,
    { passedBy = false, beside = null }: { passedBy?: boolean; beside?: Beside | null } = {},
  ): void {
    const returning = outcome.type === 'released';
    if (returning) this.#returning += 1;
    this.#ended.push({ lease, outcome, runMs, passedBy, beside, refusals: 0, failedAt: null, returning });
  }

  release(leases: readonly Lease[]): void {
    for (const lease of leases) this.add(lease, { type: 'released' }, 0);
  }

  /** The job belongs to somebody else: its outcome does not count. `outcome` is what it was, if it is known. */
  lose(lease: Lease, outcome: OutcomeType | 'unknown'): void {
    const { events, traces } = this.#options;
    traces?.settled(lease, 'lost');
    this.tally.lost += 1;
    if (events.wants('job.lost')) events.emit('job.lost', { ...facts(lease), outcome });
  }

  /** The store has this outcome, though it was not written here. */
  tell(lease: Lease, outcome: Outcome, runMs: number, receipt: SettleReceipt): void {
    this.#report({ lease, outcome, runMs, passedBy: false }, receipt);
    this.#tellPlans([{ lease }], [receipt]);
  }

  /** Writes what was collected, in one batch; what does not fit stays for the next. Returns whether there was something. */
  flush(): boolean {
    if (this.#ended.length === 0 || this.#backoff.waiting) return false;
    void this.#write(this.#take());
    return true;
  }

  /** One last try for what waits for its next one: the store may be there again. */
  async lastTry(): Promise<void> {
    this.#backoff.reset();
    while (this.#ended.length > 0 && !this.#backoff.waiting) await this.#write(this.#take());
    this.abandon();
  }

  /** Forgets the outcomes that could not be written; their leases will expire. Returns how many. */
  abandon(): number {
    this.#backoff.reset();
    const forgotten = this.#ended.length;
    for (const ended of this.#ended) this.#arrived(ended);
    this.#ended = [];
    return forgotten;
  }

  #take(): Ended[] {
    const suspectAt = this.#ended.findIndex(({ failedAt }) => failedAt !== null);
    if (suspectAt === 0) return this.#ended.splice(0, 1);
    const unsuspected = suspectAt < 0 ? this.#ended : this.#ended.slice(0, suspectAt);
    const isAlone = unsuspected[0]?.beside == null;
    const turnAt = unsuspected.findIndex(({ beside }) => (beside === null) !== isAlone);
    const others = turnAt < 0 ? unsuspected : unsuspected.slice(0, turnAt);
    return this.#ended.splice(0, Math.min(fitting(others, charsOfSettlement), this.#batchMax));
  }

  async #write(batch: readonly Ended[]): Promise<void> {
    const { store, events, workerId, planner, onSettled } = this.#options;
    this.#depart(batch);
    const began = performance.now();
    try {
      const settling =
        batch[0]?.beside == null ? store.settle(batch.map(settlement)) : settleBeside(store, batch);
      const reportedTo = plansAhead(batch);
      // In the same turn, and so one exchange with the store.
      const ahead = reportedTo.length === 0 ? null : planner.ahead(reportedTo);
      const receipts = await settling;
      this.#arrive(batch);
      this.#batchesWritten += 1;
      this.#batchMax *= 2;
      this.#backoff.reset();
      if (events.wants('worker.settled')) {
        events.emit('worker.settled', { workerId, jobs: batch.length, tookMs: performance.now() - began });
      }
      for (let index = 0; index < batch.length; index += 1) {
        this.#arrived(batch[index] as Ended);
        this.#report(batch[index] as Ended, receipts[index] as SettleReceipt);
      }
      this.#tellPlans(batch, receipts, ahead);
      // Others being taken does not mean that one which was refused is.
      if (this.trouble !== null && this.#ended.every(({ refusals }) => refusals === 0)) this.trouble = null;
    } catch (error) {
      this.#arrive(batch);
      await this.#failed(batch, error);
    }
    onSettled();
  }

  #depart(batch: readonly Ended[]): void {
    this.#inFlight += batch.length;
    this.#writes.add(batch);
  }

  #arrive(batch: readonly Ended[]): void {
    this.#inFlight -= batch.length;
    this.#writes.delete(batch);
  }

  /** Resolves when whatever was tried again at once is over. */
  async #failed(batch: readonly Ended[], error: unknown): Promise<void> {
    const failed = (retryMs: number | null): void => this.#tellTrouble(error, retryMs);
    const code = error instanceof LongshoreError ? error.code : 'STORE_FAILED';
    if (code === 'STORE_CLOSED') {
      this.tally.lost += batch.length;
      for (const ended of batch) this.#arrived(ended);
      failed(null);
      return;
    }
    const blames = mayBlameAnItem(code);
    if (blames && batch.length > 1) {
      // One outcome the store cannot take must not hold the others back.
      failed(0);
      await Promise.all(batch.map((ended) => this.#write([ended])));
      return;
    }
    if (!blames) this.#batchMax = Math.ceil(batch.length / 2);
    const [first] = batch as readonly [Ended];
    if (batch.length === 1) {
      if (blames) this.#arrived(first);
      if (this.#isRefused(first, code)) {
        failed(0);
        await this.#writeRefusal(first, blames ? error : neverWritten(error as LongshoreError));
        return;
      }
    }
    failed(this.#retry(batch));
  }

  #tellPlans(
    batch: readonly Pick<Ended, 'lease'>[],
    receipts: readonly SettleReceipt[],
    ahead: ReturnType<Planner['ahead']> = null,
  ): void {
    const { planner, onSettled } = this.#options;
    const plans = plansOf(batch, receipts);
    if (plans !== null) void planner.kick(plans, ahead).then(onSettled);
  }

  /** Counts a failure of an outcome that was written alone. Returns whether it is to blame. */
  #isRefused(ended: Ended, code: ErrorCode): boolean {
    const othersPassed = ended.failedAt !== null && ended.failedAt < this.#batchesWritten;
    ended.failedAt = this.#batchesWritten;
    if (!mayBlameAnItem(code)) {
      // No result, nothing to blame.
      if (othersPassed && ended.outcome.type === 'completed') ended.refusals += 1;
      return ended.refusals >= OUTAGES_MAX;
    }
    ended.refusals += code === 'STORE_FAILED' ? 1 : REFUSALS_MAX;
    return ended.refusals >= REFUSALS_MAX;
  }

  /** Makes a dead letter that says why, of a job whose outcome the store does not take. */
  async #writeRefusal(refused: Ended, error: unknown): Promise<void> {
    const { store, clock, onSettled } = this.#options;
    const { lease } = refused;
    const failed = { type: 'failed', error: toAttemptError(error, lease.attempt, clock.now()) } as const;
    const ended = { ...refused, outcome: failed, beside: null };
    const batch = [ended];
    this.#depart(batch);
    try {
      const [receipt] = await store.settle([settlement(ended)]);
      this.#arrive(batch);
      this.#report(ended, receipt as SettleReceipt);
      this.#tellPlans([ended], [receipt as SettleReceipt]);
      this.trouble = null;
    } catch (again) {
      // The store takes nothing at all: the outcome is not to blame, and stays.
      this.#arrive(batch);
      this.#tellTrouble(again, this.#retry([refused]));
    }
    onSettled();
  }

  #tellTrouble(error: unknown, retryMs: number | null): void {
    const { clock, events } = this.#options;
    this.trouble = stillInTrouble(this.trouble, error, clock.now());
    events.emit('store.failed', { verb: 'settle', error, retryMs });
  }

  /** Nobody waits for it any more. */
  #arrived(ended: Ended): void {
    if (!ended.returning) return;
    ended.returning = false;
    this.#returning -= 1;
  }

  /** Behind those that wait: what fails again must not hold them back. */
  #retry(batch: readonly Ended[]): number {
    this.#ended.push(...batch);
    return this.#backoff.retry(() => void this.flush());
  }

  #report(told: Told, receipt: SettleReceipt): void {
    if (receipt.status === 'lost') {
      this.lose(told.lease, told.outcome.type);
      return;
    }
    const type = typeOf(told.outcome, receipt.state);
    this.tally[type] += 1;
    this.#options.traces?.settled(told.lease, type);
    emitEnd(this.#options.events, type, told);
  }
}

function neverWritten(cause: LongshoreError): LongshoreError {
  const message = `The outcome of this job could not be written in ${OUTAGES_MAX} tries, between which those of others were. ${cause.message}`;
  return new LongshoreError(cause.code, message, { cause, details: cause.details });
}
