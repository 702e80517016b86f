import type { CancelTimer } from '../core/clock.ts';
import type { LongshoreError } from '../core/errors.ts';
import type { JobContext } from '../core/job-context.ts';
import { type KeptMeta, NO_META } from '../core/meta.ts';
import type { AnyTask } from '../core/task.ts';
import type { Running } from '../core/tracing.ts';
import type { DurablePort } from '../execution/durable-calls.ts';
import { type ContextJob, HandlerContext } from '../execution/handler-context.ts';
import type { LaneJob, SharedSlot, Stopper } from '../execution/lane.ts';
import type { TransactionPort } from '../execution/transaction-port.ts';
import type { Lease } from '../store/store.ts';
import { isBarrier } from './barrier.ts';
import { Durable, type DurableMeans } from './durable.ts';
import type { HeartbeatWatch } from './heartbeat-watch.ts';
import type { NoteTaker } from './note-taker.ts';
import { type CompletionMeans, OwnCompletion } from './own-completion.ts';
import { RemoteCompletion } from './remote-completion.ts';

/** What all attempts of an executor share. */
export interface AttemptMeans {
  readonly notes: NoteTaker;
  readonly payloadBytesMax: number;
  readonly completions: CompletionMeans;
  /** Its handler's transaction committed, and with it the job's end. */
  readonly onCommitted: (attempt: Attempt) => void;
  /** The handler starts. */
  readonly onBegin: (attempt: Attempt) => void;
  /** It was started early, and will not begin soon. */
  readonly onPutBack: (attempt: Attempt) => void;
  /** Its lease is somebody else's. */
  readonly onLost: (attempt: Attempt) => void;
  /** For its durable steps. */
  readonly durable: DurableMeans;
}

/** One execution of a leased job: the value that goes through the executor's steps, and what its lane sees of it. */
export class Attempt implements LaneJob, ContextJob {
  readonly lease: Lease;
  /** Among those that run (running.ts). */
  place = 0;
  /** Null where the worker does not have it. */
  task: AnyTask | null = null;
  /** JSON text, decrypted. */
  input: string | null = null;
  /** What the job's meta says. */
  kept: KeptMeta = NO_META;
  /** Null where it is not traced. */
  trace: Running | null = null;
  within: LaneJob['within'] = null;
  /** `performance.now()` at the start of the attempt, or when it began to wait for another host. */
  startedAt: number;
  /** The handler has started. In a pool it may have to wait for that. */
  begun = false;
  /** Time in the handler, ms; set when it ends. */
  runMs = 0;
  /** Set once an outcome is decided; whatever the handler does later is ignored. */
  finished = false;
  /** What ended it, where that was an error: an outcome keeps the text of it alone. */
  thrown: unknown = undefined;
  /** Why the handler was asked to stop; the first reason stands. */
  abortReason: LongshoreError | null = null;
  stopper: Stopper | null = null;
  /** Set before its lane gets it. */
  early = false;
  shared: SharedSlot | null = null;
  ranMs: number | null = null;
  timers: CancelTimer[] | null = null;
  /** Why the job's last progress cannot be opened in this worker, where its handler asked for that. */
  barrier: LongshoreError | null = null;
  /** Where the handler has to say that it is alive. */
  heartbeatWatch: HeartbeatWatch | null = null;
  /** Made when the handler first uses a durable step. */
  durable: Durable | null = null;
  /** Its end in a transaction of the handler's; null as long as the handler asks for none. */
  completion: OwnCompletion | null = null;
  #remote: RemoteCompletion | null = null;
  readonly #means: AttemptMeans;
  #controller: AbortController | null = null;

  /** `now` as `performance.now()` has it. */
  constructor(lease: Lease, means: AttemptMeans, now: number) {
    this.lease = lease;
    this.startedAt = now;
    this.#means = means;
  }

  get id(): string {
    return this.lease.id;
  }

  get taskName(): string {
    return this.lease.task;
  }

  get queue(): string {
    return this.lease.queue;
  }

  get key(): string | null {
    return this.lease.key;
  }

  get meta(): string | null {
    return this.trace === null ? this.lease.meta : this.trace.meta;
  }

  get attempt(): number {
    return this.lease.attempt;
  }

  get attemptsMax(): number {
    return this.lease.attemptsMax;
  }

  get payloadBytesMax(): number {
    return this.#means.payloadBytesMax;
  }

  /** Made on first use: most handlers never ask, and an AbortController costs more than a no-op job. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.abortReason !== null) this.#controller.abort(this.abortReason);
    }
    return this.#controller.signal;
  }

  begin(): void {
    this.begun = true;
    this.#means.onBegin(this);
  }

  wait(): void {
    this.begun = false;
    this.durable = null;
    this.#leaveTransaction();
    this.completion = null;
    this.startedAt = performance.now();
    this.clearTimers();
  }

  putBack(): void {
    this.#means.onPutBack(this);
  }

  context(input: unknown): JobContext<unknown> {
    return new HandlerContext(this, input);
  }

  abort(reason: LongshoreError): void {
    if (this.abortReason !== null) return;
    this.abortReason = reason;
    this.#controller?.abort(reason);
    this.stopper?.abort(reason);
  }

  progress(value: unknown): void {
    this.heartbeatWatch?.beat();
    if (this.takesNotes) this.#means.notes.progress(this.lease, value);
  }

  heartbeat(details: unknown): void {
    if (details !== undefined) this.progress(details);
    else this.heartbeatWatch?.beat();
  }

  async lastProgress(): Promise<unknown> {
    try {
      return await this.#means.notes.lastProgress(this.lease);
    } catch (error) {
      if (isBarrier(error)) this.barrier = error;
      throw error;
    }
  }

  log(message: string, data: unknown): void {
    if (this.takesNotes) this.#means.notes.log(this.lease, message, data);
  }

  /** Its job is completed in a transaction of the handler's, which may have committed: its lease is no sign of anything. */
  get endsByItself(): boolean {
    return this.completion !== null && this.completion.written !== null;
  }

  get takesNotes(): boolean {
    return !this.finished && !this.endsByItself;
  }

  own(): OwnCompletion {
    const { completions, onCommitted } = this.#means;
    this.completion ??= new OwnCompletion(this, completions, () => onCommitted(this));
    return this.completion;
  }

  get durablePort(): DurablePort {
    this.durable ??= new Durable(this, this.#means.durable);
    return this.durable;
  }

  get transactionPort(): TransactionPort {
    this.#remote ??= new RemoteCompletion(this.own());
    return this.#remote;
  }

  /** Its outcome is decided. */
  finish(now: number): void {
    this.finished = true;
    this.runMs = this.ranMs ?? now - this.startedAt;
    this.clearTimers();
    this.#leaveTransaction();
  }

  lose(): void {
    this.#means.onLost(this);
  }

  clearTimers(): void {
    this.heartbeatWatch?.stop();
    this.heartbeatWatch = null;
    if (this.timers === null) return;
    for (const cancel of this.timers) cancel();
    this.timers = null;
  }

  /** Its host is gone, or its handler has ended. */
  #leaveTransaction(): void {
    this.#remote?.leave();
    this.#remote = null;
  }
}
