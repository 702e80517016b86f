import type { LongshoreError } from '../core/errors.ts';
import { correlationIdOf } from '../core/inherited.ts';
import type { JobContext, WaitFor } from '../core/job-context.ts';
import { type JobFlow, jobFlowIn } from '../core/job-flow.ts';
import type { KeptMeta } from '../core/meta.ts';
import { DurableCalls, type DurablePort } from './durable-calls.ts';
import { type OwnTransactions, transactionOf } from './transaction-port.ts';

/** What a handler's context is made of, wherever it runs: an attempt of the worker, or a job inside a host. */
export interface ContextJob {
  readonly id: string;
  readonly taskName: string;
  readonly queue: string;
  readonly key: string | null;
  /** As it is stored. */
  readonly meta: string | null;
  readonly kept: KeptMeta;
  readonly attempt: number;
  readonly attemptsMax: number;
  readonly payloadBytesMax: number;
  readonly abortReason: LongshoreError | null;
  readonly signal: AbortSignal;
  progress(value: unknown): void;
  heartbeat(details: unknown): void;
  lastProgress(): Promise<unknown>;
  log(message: string, data: unknown): void;
  readonly durablePort: DurablePort;
  own(): OwnTransactions;
}

/** The context a handler sees. Getters are bound and lazy, so that destructuring takes only what is named. */
export class HandlerContext implements JobContext<unknown> {
  readonly input: unknown;
  readonly #job: ContextJob;
  #durable: DurableCalls | null = null;

  constructor(job: ContextJob, input: unknown) {
    this.#job = job;
    this.input = input;
  }

  get id(): string {
    return this.#job.id;
  }

  get task(): string {
    return this.#job.taskName;
  }

  get queue(): string {
    return this.#job.queue;
  }

  get key(): string | null {
    return this.#job.key;
  }

  get meta(): KeptMeta {
    return this.#job.kept;
  }

  get correlationId(): string {
    return correlationIdOf(this.#job);
  }

  get flow(): JobFlow | null {
    return jobFlowIn(this.#job.meta);
  }

  get attempt(): number {
    return this.#job.attempt;
  }

  get attemptsMax(): number {
    return this.#job.attemptsMax;
  }

  get signal(): AbortSignal {
    return this.#job.signal;
  }

  get progress(): (value: unknown) => void {
    return (value) => this.#job.progress(value);
  }

  get heartbeat(): (details?: unknown) => void {
    return (details) => this.#job.heartbeat(details);
  }

  get lastProgress(): () => Promise<unknown> {
    return () => this.#job.lastProgress();
  }

  get log(): (message: string, data?: unknown) => void {
    return (message, data) => this.#job.log(message, data);
  }

  get step(): JobContext<unknown>['step'] {
    return ((name, run) => this.#calls.step(name, run)) as JobContext<unknown>['step'];
  }

  get sleep(): (name: string, ms: number) => Promise<void> {
    return (name, ms) => this.#calls.sleep(name, ms);
  }

  get waitFor(): WaitFor {
    return ((name, options) => this.#calls.waitFor(name, options)) as WaitFor;
  }

  get #calls(): DurableCalls {
    this.#durable ??= new DurableCalls(this.#job, this.#job.durablePort);
    return this.#durable;
  }

  get transaction(): JobContext<unknown>['transaction'] {
    return transactionOf(() => this.#job.own());
  }

  get complete(): JobContext<unknown>['complete'] {
    return async (result, options) => this.#job.own().complete(result, options);
  }
}
