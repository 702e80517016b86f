import { parentPort, workerData } from 'node:worker_threads';
import { type ErrorCode, LongshoreError } from '../core/errors.ts';
import { reasonOf } from '../core/legible.ts';
import type { BeatReceipt, KeepAliveOptions, Store, WorkerLoad } from './store.ts';

/**
 * The heart of a store that is a server: a thread with a connection of its own that runs no handler, so that a worker
 * whose event loop is blocked keeps its leases. It beats for every worker of this process that uses the store.
 * keep-alive.ts starts it and speaks with it; the store gives the module that connects. Loaded as a thread alone.
 */

/** What the thread is started with. */
export interface HeartSettings {
  /** URL of a module that exports `openHeart`. */
  readonly module: string;
  readonly url: string;
}

export interface HeartModule {
  /** Opens one connection. Rejects with a LongshoreError. */
  openHeart(url: string): Promise<HeartStore>;
}

/** As much of a store as a heart needs. */
export type HeartStore = Pick<Store, 'beat' | 'close'>;

type Kept = Pick<KeepAliveOptions, 'worker' | 'leaseMs' | 'intervalMs'>;

export type ToHeart =
  | ({ readonly type: 'start'; readonly keeper: number; readonly load: WorkerLoad } & Kept)
  | { readonly type: 'load'; readonly keeper: number; readonly load: WorkerLoad }
  | { readonly type: 'stop'; readonly keeper: number }
  | { readonly type: 'close' };

export type FromHeart =
  | { readonly type: 'beaten'; readonly keeper: number; readonly receipt: BeatReceipt }
  | { readonly type: 'unbeaten'; readonly keeper: number; readonly error: HeartError };

/** An error as it goes from one thread to another, which keeps no classes. */
export interface HeartError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

class Heart {
  readonly #settings: HeartSettings;
  readonly #say: (message: FromHeart) => void;
  readonly #keepers = new Map<number, Keeper>();
  #store: Promise<HeartStore> | null = null;

  constructor(settings: HeartSettings, say: (message: FromHeart) => void) {
    this.#settings = settings;
    this.#say = say;
  }

  async hear(message: ToHeart): Promise<void> {
    switch (message.type) {
      case 'start': {
        const { keeper, worker, leaseMs, load, intervalMs } = message;
        const timer = setInterval(() => void this.#beat(keeper), Math.min(intervalMs, TIMER_MAX_MS));
        this.#keepers.set(keeper, { worker, leaseMs, load, intervalMs, timer, beating: false });
        // Connecting takes time, which the first beat may not have.
        await this.#connect().catch(() => {});
        return;
      }
      case 'load': {
        const keeper = this.#keepers.get(message.keeper);
        if (keeper !== undefined) keeper.load = message.load;
        return;
      }
      case 'stop':
        clearInterval(this.#keepers.get(message.keeper)?.timer);
        this.#keepers.delete(message.keeper);
        return;
      case 'close':
        for (const { timer } of this.#keepers.values()) clearInterval(timer);
        this.#keepers.clear();
        await this.#store?.then((store) => store.close()).catch(() => {});
    }
  }

  /** Beats never pile up: while one is under way, the next is left out. */
  async #beat(number: number): Promise<void> {
    const keeper = this.#keepers.get(number);
    if (keeper === undefined || keeper.beating) return;
    keeper.beating = true;
    try {
      const receipt = await this.#beatInTime(keeper);
      if (this.#keepers.has(number)) this.#say({ type: 'beaten', keeper: number, receipt });
    } catch (error) {
      if (this.#keepers.has(number)) this.#say({ type: 'unbeaten', keeper: number, error: toWire(error) });
    } finally {
      keeper.beating = false;
    }
  }

  /**
   * A connection that does not answer may be dead without a word, and leases end after three intervals: after one without
   * an answer it is given up, and the beat is done again on another one. Not sooner than after a second, though: a busy
   * server would be given more and more connections.
   */
  async #beatInTime({ worker, leaseMs, load, intervalMs }: Keeper): Promise<BeatReceipt> {
    const answerMs = Math.max(intervalMs, ANSWER_MIN_MS);
    for (let tries = 1; ; tries += 1) {
      const opening = this.#connect();
      const receipt = await inTime(
        opening.then((store) => store.beat({ worker, leaseMs, load })),
        answerMs,
      );
      if (receipt !== null) return receipt;
      this.#abandon(opening);
      if (tries === TRIES_MAX) throw noAnswer(answerMs);
    }
  }

  #abandon(opening: Promise<HeartStore>): void {
    if (this.#store === opening) this.#store = null;
    opening.then((store) => store.close()).catch(() => {});
  }

  /** An opening that failed is tried again with the next beat. */
  #connect(): Promise<HeartStore> {
    if (this.#store !== null) return this.#store;
    const opening = this.#open();
    this.#store = opening;
    opening.catch(() => {
      if (this.#store === opening) this.#store = null;
    });
    return opening;
  }

  async #open(): Promise<HeartStore> {
    const { module, url } = this.#settings;
    const { openHeart } = (await import(module)) as HeartModule;
    return openHeart(url);
  }
}

const TRIES_MAX = 2;
const ANSWER_MIN_MS = 1_000;
/** The longest time a timer takes. */
const TIMER_MAX_MS = 2 ** 31 - 1;

interface Keeper extends Kept {
  readonly timer: NodeJS.Timeout;
  load: WorkerLoad;
  beating: boolean;
}

/** Null where it takes longer than `limitMs`. */
async function inTime<Result>(result: Promise<Result>, limitMs: number): Promise<Result | null> {
  const { promise: late, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), Math.min(limitMs, TIMER_MAX_MS));
  try {
    return await Promise.race([result, late]);
  } finally {
    clearTimeout(timer);
  }
}

function noAnswer(answerMs: number): LongshoreError {
  return new LongshoreError(
    'STORE_UNAVAILABLE',
    `Heartbeats on ${TRIES_MAX} connections were not answered within ${answerMs} ms each. The server hangs, or the way to it is cut.`,
    { details: { answerMs } },
  );
}

function toWire(error: unknown): HeartError {
  if (error instanceof LongshoreError) {
    const { code, message, details } = error;
    return { code, message, details };
  }
  return { code: 'STORE_FAILED', message: `The heartbeat failed: ${reasonOf(error)}`, details: {} };
}

export function fromWire({ code, message, details }: HeartError): LongshoreError {
  return new LongshoreError(code, message, { details });
}

if (parentPort !== null && (workerData as { longshoreHeart?: true } | null)?.longshoreHeart === true) {
  const port = parentPort;
  const heart = new Heart(workerData as HeartSettings, (message) => port.postMessage(message));
  port.on('message', async (message: ToHeart) => {
    await heart.hear(message);
    if (message.type === 'close') port.close();
  });
}
