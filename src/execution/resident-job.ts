import type { LongshoreError } from '../core/errors.ts';
import { encodePayload } from '../core/payload.ts';
import type { JobContext } from '../core/task.ts';
import { logText } from './log-text.ts';
import type { FromHost, RecalledMessage, RunMessage } from './protocol.ts';
import type { HandlerJob } from './steps.ts';
import { unpackError } from './wire-error.ts';

/** A job inside a host. */
export class ResidentJob implements HandlerJob {
  readonly message: RunMessage;
  abortReason: LongshoreError | null = null;
  /** What the handler says after its end is not passed on. */
  finished = false;
  readonly #say: (message: FromHost) => void;
  /** Not told yet; undefined: nothing new. */
  #progress: string | null | undefined = undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #recall: PromiseWithResolvers<unknown> | null = null;
  #controller: AbortController | null = null;

  constructor(message: RunMessage, say: (message: FromHost) => void) {
    this.message = message;
    this.#say = say;
  }

  get id(): string {
    return this.message.id;
  }

  get input(): string | null {
    return this.message.input;
  }

  get payloadBytesMax(): number {
    return this.message.payloadBytesMax;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.abortReason !== null) this.#controller.abort(this.abortReason);
    }
    return this.#controller.signal;
  }

  abort(reason: LongshoreError): void {
    this.abortReason ??= reason;
    this.#controller?.abort(reason);
  }

  context(input: unknown): JobContext<unknown> {
    return new ResidentContext(this, input);
  }

  /** Throws PAYLOAD_NOT_JSON, PAYLOAD_TOO_LARGE into the handler. */
  progress(value: unknown): void {
    if (this.finished) return;
    const { payloadBytesMax } = this.message;
    this.#progress = encodePayload(value, `the progress of task '${this.taskName}'`, payloadBytesMax);
    this.#tellSoon();
  }

  heartbeat(details: unknown): void {
    if (details !== undefined) this.progress(details);
    else if (!this.finished) this.#tellSoon();
  }

  lastProgress(): Promise<unknown> {
    this.tell();
    this.#recall ??= Promise.withResolvers();
    this.#say({ type: 'recall', job: this.message.job });
    return this.#recall.promise;
  }

  recalled({ progress, error }: RecalledMessage): void {
    if (error === null) this.#recall?.resolve(progress === null ? undefined : JSON.parse(progress));
    else this.#recall?.reject(unpackError(error));
    this.#recall = null;
  }

  /** Passes on what was not told yet. */
  tell(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#tellNow();
  }

  /** Without a timer first: one would not fire in a handler that computes. */
  #tellSoon(): void {
    if (performance.now() - this.#toldAt < TELL_MS) {
      this.#timer ??= setTimeout(() => this.tell(), TELL_MS).unref();
      return;
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#tellNow();
  }

  #tellNow(): void {
    this.#toldAt = performance.now();
    const progress = this.#progress;
    this.#progress = undefined;
    const alive = { type: 'alive', job: this.message.job } as const;
    this.#say(progress === undefined ? alive : { ...alive, progress });
  }

  /** Throws OPTION_INVALID, PAYLOAD_NOT_JSON, PAYLOAD_TOO_LARGE into the handler. */
  log(message: string, data: unknown): void {
    if (this.finished) return;
    const { job, payloadBytesMax } = this.message;
    const text = logText(message);
    const encoded = encodePayload(data, `the log data of task '${this.taskName}'`, payloadBytesMax);
    this.#say({ type: 'log', job, message: text, data: encoded });
  }

  get taskName(): string {
    return this.message.name;
  }
}

/** Signs of life and progress cross the border so often at most, the last one wins: a handler may give them in a tight loop. */
const TELL_MS = 20;

/** As the worker's own: getters are bound and lazy, so that destructuring takes only what is named. */
class ResidentContext implements JobContext<unknown> {
  readonly input: unknown;
  readonly #job: ResidentJob;

  constructor(job: ResidentJob, input: unknown) {
    this.#job = job;
    this.input = input;
  }

  get id(): string {
    return this.#job.message.id;
  }

  get task(): string {
    return this.#job.taskName;
  }

  get queue(): string {
    return this.#job.message.queue;
  }

  get key(): string | null {
    return this.#job.message.key;
  }

  get attempt(): number {
    return this.#job.message.attempt;
  }

  get attemptsMax(): number {
    return this.#job.message.attemptsMax;
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
}
