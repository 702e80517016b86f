import { Worker } from 'node:worker_threads';
import { BATCH_CHARS_MAX, charsOfCall } from '../../core/batch.ts';
import { LongshoreError } from '../../core/errors.ts';
import { namedReasonOf } from '../../core/legible.ts';
import { ownFile } from '../../own-file.ts';
import { fromWire } from './errors.ts';
import { packInput, unpackResult } from './pack.ts';
import type { Call, Errand, FromThread, Reply, ToThread } from './protocol.ts';
import type { VerbName } from './verbs.ts';

type Heard = Exclude<FromThread, { type: 'done' | 'refused' }>;

/**
 * The caller's end of a store thread. Calls of one turn of the event loop go over as one message, or several where they are
 * large, and come back as one. The thread keeps the process alive only while an answer is awaited.
 */
export class Channel {
  readonly #worker: Worker;
  readonly #file: string;
  readonly #charsMax: number;
  readonly #pending = new Map<number, Pending>();
  readonly #hear: (message: Heard) => void;
  #outbox: Call[] = [];
  #outboxChars = 0;
  #lastNumber = 0;
  #errand: Settlers | null = null;
  #ended: LongshoreError | null = null;
  #closing = false;
  readonly #exit: Promise<void>;

  constructor(errand: Errand, { hear = () => {}, charsMax = CALL_CHARS_MAX }: ChannelOptions = {}) {
    this.#file = errand.file;
    this.#charsMax = charsMax;
    this.#hear = hear;
    // Nothing of the user's program is loaded into the thread: no preloaded modules, no loaders.
    this.#worker = new Worker(ownFile('./thread', import.meta.url), {
      name: 'longshore sqlite store',
      workerData: errand,
      execArgv: [],
      // Room for short-lived garbage: with 3 MB a worker is 1 MB smaller, and a burn-down takes a tenth longer.
      resourceLimits: { maxYoungGenerationSizeMb: 16 },
    });
    this.#worker.on('message', (message: FromThread) => this.#receive(message));
    this.#worker.on('error', (error) => this.#end(error));
    this.#exit = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#end(code === 0 ? undefined : new Error(`The store thread ended with code ${code}.`));
        resolve();
      });
    });
  }

  /** Resolves to what the thread was started for; when it serves, as soon as the store is open. */
  async done<Value>(): Promise<Value> {
    return (await this.#await((settlers) => {
      this.#errand = settlers;
    })) as Value;
  }

  call(verb: VerbName, input: unknown, now: number | undefined): Promise<unknown> {
    return this.#await((settlers) => {
      const chars = charsOfCall(verb, input);
      if (chars > this.#charsMax) throw this.#tooLarge(verb, chars);
      if (this.#outboxChars + chars > BATCH_CHARS_MAX) this.#flush();
      this.#outboxChars += chars;
      const number = ++this.#lastNumber;
      this.#pending.set(number, { ...settlers, verb, input });
      if (this.#pending.size === 1) this.#worker.ref();
      if (this.#outbox.length === 0) setImmediate(() => this.#flush());
      this.#outbox.push({ number, verb, input: packInput(verb, input), now, chars });
    });
  }

  /** Says something that has no answer; keeps its place among the calls. */
  say(message: ToThread): void {
    this.#flush();
    if (this.#ended === null) this.#worker.postMessage(message);
  }

  /** Lets what was called come to its end, then closes the file and ends the thread. */
  async close(): Promise<void> {
    if (this.#ended === null) {
      this.#closing = true;
      this.#worker.ref();
      const closed = this.done();
      this.say({ type: 'close' });
      await closed;
    }
    await this.#exit;
  }

  #await(begin: (settlers: Settlers) => void): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#ended === null) begin({ resolve, reject });
      else reject(this.#ended);
    });
  }

  #flush(): void {
    if (this.#outbox.length === 0) return;
    const calls = this.#outbox;
    this.#outbox = [];
    this.#outboxChars = 0;
    if (this.#ended === null) this.#send(calls);
  }

  /** Data that cannot be cloned is the fault of one call, and must not take the others along. */
  #send(calls: readonly Call[]): void {
    try {
      this.#worker.postMessage({ type: 'calls', calls } satisfies ToThread);
    } catch (error) {
      if (calls.length > 1) for (const call of calls) this.#send([call]);
      else if (calls[0] !== undefined) this.#fail(calls[0].number, uncloneable(calls[0], error));
    }
  }

  #receive(message: FromThread): void {
    switch (message.type) {
      case 'done':
      case 'refused': {
        const errand = this.#errand;
        this.#errand = null;
        this.#rest();
        if (message.type === 'done') errand?.resolve(message.value);
        else errand?.reject(fromWire(message.error));
        return;
      }
      case 'replies':
        for (const reply of message.replies) this.#answer(reply);
        this.#rest();
        break;
    }
    this.#hear(message);
  }

  /** With nothing awaited, the process may end; while closing, the end of the thread is awaited. */
  #rest(): void {
    if (this.#pending.size === 0 && this.#errand === null && !this.#closing) this.#worker.unref();
  }

  #answer(reply: Reply): void {
    const pending = this.#pending.get(reply.number);
    if (pending === undefined) return;
    this.#pending.delete(reply.number);
    if ('error' in reply) pending.reject(fromWire(reply.error));
    else pending.resolve(this.#unpack(pending, reply.value));
  }

  /** What cannot be read is the fault of one call. */
  #unpack({ verb, input }: Pending, value: unknown): unknown {
    try {
      return unpackResult(verb, value, input);
    } catch (cause) {
      return Promise.reject(unreadable(this.#file, verb, cause));
    }
  }

  #tooLarge(verb: VerbName, chars: number): LongshoreError {
    const [file, charsMax] = [this.#file, this.#charsMax];
    return new LongshoreError(
      'PAYLOAD_TOO_LARGE',
      `${verb} takes ${chars} characters; the store in ${file} takes at most ${charsMax} in one call, since that is one transaction. Nothing was written. Make several calls of fewer items each.`,
      { details: { verb, chars, charsMax } },
    );
  }

  #fail(number: number, error: LongshoreError): void {
    this.#pending.get(number)?.reject(error);
    this.#pending.delete(number);
    this.#rest();
  }

  #end(cause: unknown): void {
    if (this.#ended !== null) return;
    this.#ended = new LongshoreError(
      'STORE_FAILED',
      `The thread that serves ${this.#file} ended unexpectedly. What was committed is safe; open the store again.`,
      { cause, details: { file: this.#file } },
    );
    for (const settlers of [this.#errand, ...this.#pending.values()]) settlers?.reject(this.#ended);
    this.#errand = null;
    this.#pending.clear();
  }
}

interface ChannelOptions {
  readonly hear?: (message: Heard) => void;
  /** How many characters a call may have. */
  readonly charsMax?: number | undefined;
}

interface Settlers {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Pending extends Settlers {
  readonly verb: VerbName;
  readonly input: unknown;
}

/** A call is one message, and a transaction that is all in the memory of both threads. */
const CALL_CHARS_MAX = 1_073_741_824;

function unreadable(file: string, verb: VerbName, cause: unknown): LongshoreError {
  return new LongshoreError(
    'STORE_FAILED',
    `What ${file} answers to ${verb} cannot be read: ${namedReasonOf(cause)}. What was written holds.`,
    { cause, details: { file, verb } },
  );
}

function uncloneable({ verb }: Call, cause: unknown): LongshoreError {
  return new LongshoreError(
    'STORE_FAILED',
    `${verb} was given data that cannot be sent: ${namedReasonOf(cause)}`,
    {
      cause,
    },
  );
}
