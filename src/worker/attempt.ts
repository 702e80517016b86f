import type { CancelTimer } from '../core/clock.ts';
import type { LongshoreError } from '../core/errors.ts';
import type { AnyTask, JobContext } from '../core/task.ts';
import type { Lease } from '../store/store.ts';

/** Where a handler's progress and log lines go. */
export interface NoteTaker {
  progress(lease: Lease, value: unknown): void;
  log(lease: Lease, message: string, data: unknown): void;
}

/** One execution of a leased job: the value that goes through the executor's steps. */
export class Attempt {
  readonly lease: Lease;
  /** `performance.now()` at the start. */
  readonly startedAt: number = performance.now();
  /** Time in the handler, ms; set when it ends. */
  runMs = 0;
  /** Set once an outcome is decided; whatever the handler does later is ignored. */
  finished = false;
  /** Why the handler was asked to stop; the first reason stands. */
  abortReason: LongshoreError | null = null;
  timers: CancelTimer[] | null = null;
  #controller: AbortController | null = null;

  constructor(lease: Lease) {
    this.lease = lease;
  }

  /** Made on first use: most handlers never ask, and an AbortController costs more than a no-op job. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.abortReason !== null) this.#controller.abort(this.abortReason);
    }
    return this.#controller.signal;
  }

  abort(reason: LongshoreError): void {
    if (this.abortReason !== null) return;
    this.abortReason = reason;
    this.#controller?.abort(reason);
  }

  clearTimers(): void {
    if (this.timers === null) return;
    for (const cancel of this.timers) cancel();
    this.timers = null;
  }
}

/** The context a handler sees. Getters are bound and lazy, so that destructuring takes only what is named. */
export class AttemptContext<Input> implements JobContext<Input> {
  readonly input: Input;
  readonly #attempt: Attempt;
  readonly #notes: NoteTaker;
  readonly #task: AnyTask;

  constructor(attempt: Attempt, task: AnyTask, input: Input, notes: NoteTaker) {
    this.#attempt = attempt;
    this.#task = task;
    this.#notes = notes;
    this.input = input;
  }

  get id(): string {
    return this.#attempt.lease.id;
  }

  get task(): string {
    return this.#task.name;
  }

  get queue(): string {
    return this.#attempt.lease.queue;
  }

  get key(): string | null {
    return this.#attempt.lease.key;
  }

  get attempt(): number {
    return this.#attempt.lease.attempt;
  }

  get attemptsMax(): number {
    return this.#attempt.lease.attemptsMax;
  }

  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  get progress(): (value: unknown) => void {
    return (value) => {
      if (!this.#attempt.finished) this.#notes.progress(this.#attempt.lease, value);
    };
  }

  get log(): (message: string, data?: unknown) => void {
    return (message, data) => {
      if (!this.#attempt.finished) this.#notes.log(this.#attempt.lease, message, data);
    };
  }
}
