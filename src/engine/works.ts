import type { Clock } from '../core/clock.ts';
import { LongshoreError, toAttemptError } from '../core/errors.ts';
import type { Outcome } from '../core/outcome.ts';
import type { PayloadCodec } from '../core/payload.ts';
import type { AnyTask } from '../core/task.ts';
import type { Tracing } from '../core/tracing.ts';
import type { Lanes } from '../execution/lanes.ts';
import type { Lease } from '../store/store.ts';
import type { EventBus } from '../telemetry/events.ts';
import type { Attempt } from '../worker/attempt.ts';
import { emitEnd } from '../worker/ended.ts';
import { Executor } from '../worker/executor.ts';
import { facts } from '../worker/facts.ts';
import type { WorkerSettings } from '../worker/settings.ts';
import { cancelled, leaseLost } from '../worker/stop-reasons.ts';
import { Traces } from '../worker/traces.ts';
import { lacksStore, noSteps, noTransactions } from './no-store.ts';
import type { Permits } from './permits.ts';
import type { Ended, Work } from './work.ts';
import { endedOf, leaseOf, taskUnknown } from './work-lease.ts';
import { WorkNotes } from './work-notes.ts';

interface WorksOptions {
  readonly engine: string;
  readonly workerId: string;
  readonly settings: WorkerSettings;
  readonly tasks: ReadonlyMap<string, AnyTask>;
  readonly lanes: Lanes;
  readonly permits: Permits;
  readonly codec: PayloadCodec;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly tracing: Tracing | undefined;
  /** A work has ended. */
  readonly onEnd: () => void;
}

/** Work that has not ended. */
interface Entry {
  readonly work: Work;
  /** Why it could not begin. */
  readonly error: LongshoreError | null;
  readonly done: (ended: Ended) => void;
}

/** The works that a runner has: each is a lease in the executor of workers, and a promise of how it ends. */
export class Works {
  readonly #options: WorksOptions;
  readonly #traces: Traces | null;
  readonly #executor: Executor;
  readonly #entries = new Map<Lease, Entry>();
  #onQuiet: () => void = () => undefined;

  constructor(options: WorksOptions) {
    this.#options = options;
    const { engine, codec, lanes, permits, settings, tracing, workerId } = options;
    this.#traces = tracing === undefined ? null : new Traces(tracing, workerId);
    this.#executor = new Executor({
      ...settings,
      ...options,
      lane: lanes,
      slots: permits,
      random: Math.random,
      traces: this.#traces,
      notes: new WorkNotes({ ...options, workOf: (lease) => this.#entries.get(lease)?.work }),
      store: noSteps(engine),
      completions: { codec, ...noTransactions(engine) },
      onCommitted: () => undefined,
      outcomeOfBarred: async (lease) => this.#outcomeOfUnknown(lease),
      onOutcome: (attempt, outcome) => this.#onOutcome(attempt, outcome),
      onRelease: (leases) => this.#endUnstarted(leases, { type: 'released' }),
      onCancelled: (leases) => this.#endUnstarted(leases, CANCELLED),
      unsettled: () => 0,
    });
  }

  /** Handlers that run. */
  get running(): number {
    return this.#executor.running - this.#executor.early;
  }

  /** For a slot, or for room in their pool. */
  get waiting(): number {
    return this.#executor.buffer.length + this.#executor.early;
  }

  /** How many more could start now, of one task or of all together. */
  free(task?: string): number {
    const { permits, lanes } = this.#options;
    const { buffer } = this.#executor;
    const { admission } = lanes;
    const slots = permits.free - (buffer.length - buffer.parked);
    if (admission === null) return Math.max(0, slots);
    const pool = task === undefined ? null : admission.poolOf(task);
    if (pool !== null) return Math.max(0, Math.min(slots, admission.room(pool) - buffer.parkedFor(pool)));
    if (task !== undefined) return Math.max(0, slots);
    // Those that wait for a pool will want a slot, too.
    return Math.max(0, Math.min(slots, admission.capacity - this.running) - buffer.parked);
  }

  /** Throws OPTION_INVALID, PAYLOAD_NOT_JSON, PAYLOAD_TOO_LARGE. */
  run(work: Work): Promise<Ended> {
    const lease = leaseOf(work, this.#options.codec, this.#options.clock.now());
    return new Promise((resolve) => this.#accept(lease, work, resolve));
  }

  /** There may be more slots, or room in a pool. */
  pump(): void {
    this.#executor.pump();
    this.#keepPermits();
  }

  /** Those that have not begun end as `released`. Returns how many. */
  release(): number {
    this.#executor.stopWaiting();
    const unstarted = this.#executor.buffer.takeAll();
    this.#endUnstarted(unstarted, { type: 'released' });
    return unstarted.length;
  }

  /** Asks every handler to stop. Returns how many there are. */
  abortAll(): number {
    return this.#executor.abortAll();
  }

  /** Resolves when all have ended. */
  quiet(): Promise<void> {
    return new Promise((resolve) => {
      this.#onQuiet = resolve;
      this.#tellQuiet();
    });
  }

  #accept(lease: Lease, work: Work, resolve: (ended: Ended) => void): void {
    const { signal, permit } = work;
    const onAbort = (): void => this.#abort(lease, signal?.reason);
    const done = (ended: Ended): void => {
      signal?.removeEventListener('abort', onAbort);
      resolve(ended);
    };
    this.#entries.set(lease, { work, error: null, done });
    if (permit !== undefined) this.#options.permits.hand(permit);
    this.#executor.accept([lease]);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort);
    this.pump();
  }

  /** A lock that is lost is somebody else's work by now. */
  #abort(lease: Lease, reason: unknown): void {
    const isLost = reason instanceof LongshoreError && reason.code === 'LEASE_LOST';
    const unstarted = this.#executor.end((one) => one === lease, isLost ? leaseLost : cancelled);
    this.#endUnstarted(unstarted, isLost ? null : CANCELLED);
  }

  #outcomeOfUnknown(lease: Lease): Outcome {
    const entry = this.#entries.get(lease) as Entry;
    const error = taskUnknown(entry.work, this.#options.tasks.keys());
    this.#entries.set(lease, { ...entry, error });
    return { type: 'failed', error: toAttemptError(error, lease.attempt, this.#options.clock.now()) };
  }

  #onOutcome({ lease, thrown, runMs }: Attempt, outcome: Outcome | null): void {
    const isFinal = outcome?.type === 'retried' && lacksStore(thrown);
    this.#end(lease, isFinal ? { type: 'failed', error: outcome.error } : outcome, { thrown, runMs });
  }

  #endUnstarted(leases: readonly Lease[], outcome: Outcome | null): void {
    for (const lease of leases) this.#end(lease, outcome, { thrown: undefined, runMs: 0 });
  }

  /** `outcome`: null where its lock is lost. */
  #end(
    lease: Lease,
    outcome: Outcome | null,
    { thrown, runMs }: { readonly thrown: unknown; readonly runMs: number },
  ): void {
    const entry = this.#entries.get(lease);
    if (entry === undefined) return;
    const { events, onEnd } = this.#options;
    this.#entries.delete(lease);
    this.#keepPermits();
    this.#traces?.ended(lease, outcome, runMs);
    this.#traces?.settled(lease, outcome?.type ?? 'lost');
    if (outcome !== null) emitEnd(events, outcome.type, { lease, outcome, runMs, passedBy: false });
    else if (events.wants('job.lost')) events.emit('job.lost', { ...facts(lease), outcome: 'unknown' });
    entry.done(endedOf(outcome, entry.error ?? thrown, runMs));
    onEnd();
    this.#tellQuiet();
  }

  /** Those that came with a permit and have not begun have theirs still. */
  #keepPermits(): void {
    this.#options.permits.keep(this.waiting);
  }

  #tellQuiet(): void {
    if (this.#entries.size === 0) this.#onQuiet();
  }
}

const CANCELLED: Outcome = { type: 'cancelled', error: null };
