import { LongshoreError } from '../core/errors.ts';
import { correlationIdOf } from '../core/inherited.ts';
import type { JobContext } from '../core/job-context.ts';
import { type JobFlow, jobFlowIn } from '../core/job-flow.ts';
import { decodeMeta, type KeptMeta } from '../core/meta.ts';
import { encodePayload } from '../core/payload.ts';
import { logText } from './log-text.ts';
import type { FromHost, RecalledMessage, RunJob } from './protocol.ts';
import type { HandlerJob } from './steps.ts';
import { unpackError } from './wire-error.ts';

/** A job inside a host. */
export class ResidentJob implements HandlerJob {
  /** The pool's number for it. */
  readonly number: number;
  readonly id: string;
  readonly taskName: string;
  readonly queue: string;
  readonly key: string | null;
  readonly attempt: number;
  readonly attemptsMax: number;
  readonly input: string | null;
  readonly payloadBytesMax: number;
  readonly meta: string | null;
  /** It has told the pool something: what it tells last must not pass that. */
  spoke = false;
  abortReason: LongshoreError | null = null;
  /** What the handler says after its end is not passed on. */
  finished = false;
  readonly #say: (message: FromHost) => void;
  /** Not told yet; undefined: nothing new. */
  #progress: string | null | undefined = undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  /** Calls of lastProgress() that wait for their answers; made for the first one. */
  #recalls: Map<number, PromiseWithResolvers<unknown>> | null = null;
  #lastCall = 0;
  #controller: AbortController | null = null;

  constructor(taskName: string, job: RunJob, say: (message: FromHost) => void) {
    this.taskName = taskName;
    this.number = job[0];
    this.id = job[2];
    this.queue = job[3];
    this.key = job[4];
    this.attempt = job[5];
    this.attemptsMax = job[6];
    this.input = job[7];
    this.payloadBytesMax = job[8];
    this.meta = job[9];
    this.#say = (message) => {
      this.spoke = true;
      say(message);
    };
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
    this.#progress = encodePayload(value, `the progress of task '${this.taskName}'`, this.payloadBytesMax);
    this.#tellSoon();
  }

  heartbeat(details: unknown): void {
    if (details !== undefined) this.progress(details);
    else if (!this.finished) this.#tellSoon();
  }

  /** An answer that is asked for before the end of the job comes also after it. Later the job is unknown here. */
  lastProgress(): Promise<unknown> {
    if (this.finished) return Promise.reject(ended(this.id));
    this.tell();
    const recall = Promise.withResolvers<unknown>();
    this.#recalls ??= new Map();
    this.#lastCall += 1;
    this.#recalls.set(this.#lastCall, recall);
    this.#say({ type: 'recall', job: this.number, call: this.#lastCall });
    return recall.promise;
  }

  /** Waits for answers. */
  get recalling(): boolean {
    return this.#recalls !== null && this.#recalls.size > 0;
  }

  recalled({ call, progress, error }: RecalledMessage): void {
    const recall = this.#recalls?.get(call);
    this.#recalls?.delete(call);
    if (error === null) recall?.resolve(progress === null ? undefined : JSON.parse(progress));
    else recall?.reject(unpackError(error));
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
    const alive = { type: 'alive', job: this.number } as const;
    this.#say(progress === undefined ? alive : { ...alive, progress });
  }

  /** Throws OPTION_INVALID, PAYLOAD_NOT_JSON, PAYLOAD_TOO_LARGE into the handler. */
  log(message: string, data: unknown): void {
    if (this.finished) return;
    const text = logText(message);
    const encoded = encodePayload(data, `the log data of task '${this.taskName}'`, this.payloadBytesMax);
    this.#say({ type: 'log', job: this.number, message: text, data: encoded });
  }
}

function ended(id: string): LongshoreError {
  const message = `lastProgress() was called after the handler of job ${id} had ended. Call it, and await it, within the handler.`;
  return new LongshoreError('JOB_STATE_REFUSED', message, { details: { id } });
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
    return decodeMeta(this.#job.meta, this.#job.id);
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
}
