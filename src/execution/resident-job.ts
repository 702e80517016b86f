import type { LongshoreError } from '../core/errors.ts';
import { encodePayload } from '../core/payload.ts';
import type { JobContext } from '../core/task.ts';
import { logText } from './log-text.ts';
import type { FromHost, RunMessage } from './protocol.ts';
import type { HandlerJob } from './steps.ts';

/** A job inside a host. */
export class ResidentJob implements HandlerJob {
  readonly message: RunMessage;
  abortReason: LongshoreError | null = null;
  /** What the handler says after its end is not passed on. */
  finished = false;
  readonly #say: (message: FromHost) => void;
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
    const { job, payloadBytesMax } = this.message;
    const text = encodePayload(value, `the progress of task '${this.taskName}'`, payloadBytesMax);
    this.#say({ type: 'progress', job, value: text });
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

  get log(): (message: string, data?: unknown) => void {
    return (message, data) => this.#job.log(message, data);
  }
}
