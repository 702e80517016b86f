import { LongshoreError } from '../core/errors.ts';
import type { JobContext } from '../core/job-context.ts';
import { decodeMeta, type KeptMeta } from '../core/meta.ts';
import { encodePayload } from '../core/payload.ts';
import type { DurablePort } from './durable-calls.ts';
import { type ContextJob, HandlerContext } from './handler-context.ts';
import { scopeOf } from './handler-scope.ts';
import { logText } from './log-text.ts';
import type { AnswerMessage, AskMessage, FromHost, RunJob } from './protocol.ts';
import { ResidentTransactions } from './resident-transaction.ts';
import type { HandlerJob } from './steps.ts';
import { type OwnTransactions, TRANSACTION_ASKS, type TransactionPort } from './transaction-port.ts';
import { unpackError } from './wire-error.ts';

/** A job inside a host. */
export class ResidentJob implements HandlerJob, ContextJob {
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
  /** What waits for the worker's answer; made for the first one. */
  #asked: Map<number, PromiseWithResolvers<unknown>> | null = null;
  #lastCall = 0;
  #controller: AbortController | null = null;
  #transactions: OwnTransactions | null = null;

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

  get kept(): KeptMeta {
    return decodeMeta(this.meta, this.id);
  }

  get within(): HandlerJob['within'] {
    return scopeOf(this.meta);
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
    return new HandlerContext(this, input);
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

  lastProgress(): Promise<unknown> {
    // What it was given before goes first.
    if (!this.finished) this.tell();
    return this.#ask('lastProgress');
  }

  get durablePort(): DurablePort {
    return {
      begin: (...given) => this.#ask('begin', given) as ReturnType<DurablePort['begin']>,
      keep: (...given) => this.#ask('keep', given) as ReturnType<DurablePort['keep']>,
      sleep: (...given) => this.#ask('sleep', given) as ReturnType<DurablePort['sleep']>,
      wait: (...given) => this.#ask('wait', given) as ReturnType<DurablePort['wait']>,
      refuse: (...given) => this.#ask('refuse', given) as ReturnType<DurablePort['refuse']>,
      suspend: () => this.#ask('suspend') as ReturnType<DurablePort['suspend']>,
    };
  }

  own(): OwnTransactions {
    this.#transactions ??= new ResidentTransactions(this, {
      beginTransaction: (...given) =>
        this.#ask('beginTransaction', given) as ReturnType<TransactionPort['beginTransaction']>,
      prepareCompletion: (...given) => {
        // Its last progress is to commit with it.
        this.tell();
        return this.#ask('prepareCompletion', given) as ReturnType<TransactionPort['prepareCompletion']>;
      },
      forgetCompletion: () => this.#ask('forgetCompletion') as Promise<void>,
      endTransaction: (...given) => this.#ask('endTransaction', given) as Promise<boolean>,
    });
    return this.#transactions;
  }

  /** An answer that is asked for before the end of the job comes also after it. Later the job is unknown to the pool. */
  #ask(verb: AskMessage['verb'], given: AskMessage['given'] = []): Promise<unknown> {
    if (this.finished) return Promise.reject(endedBefore(verb, this.id));
    const asked = Promise.withResolvers<unknown>();
    this.#asked ??= new Map();
    this.#lastCall += 1;
    this.#asked.set(this.#lastCall, asked);
    this.#say({ type: 'ask', job: this.number, call: this.#lastCall, verb, given });
    return asked.promise;
  }

  /** Waits for answers. */
  get asking(): boolean {
    return this.#asked !== null && this.#asked.size > 0;
  }

  answered({ call, value, error }: AnswerMessage): void {
    const asked = this.#asked?.get(call);
    this.#asked?.delete(call);
    if (error === null) asked?.resolve(value === null ? undefined : JSON.parse(value));
    else asked?.reject(unpackError(error));
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

function endedBefore(verb: AskMessage['verb'], id: string): LongshoreError {
  const call =
    verb === 'lastProgress'
      ? 'lastProgress()'
      : verb in TRANSACTION_ASKS
        ? 'transaction() or complete()'
        : 'A durable step';
  const message = `${call} was called after the handler of job ${id} had ended. Call it, and await it, within the handler.`;
  return new LongshoreError('JOB_STATE_REFUSED', message, { details: { id } });
}

/** Signs of life and progress cross the border so often at most, the last one wins: a handler may give them in a tight loop. */
const TELL_MS = 20;
