import { Worker } from 'node:worker_threads';
import type { Clock } from '../core/clock.ts';
import { LongshoreError } from '../core/errors.ts';
import { type FromHeart, fromWire, type HeartSettings, type ToHeart } from './heart.ts';
import { Keeper } from './keeper.ts';
import type { BeatReceipt, KeepAlive, KeepAliveOptions, WorkerBeat } from './store.ts';

export interface KeepAlivesOptions extends HeartSettings {
  /** The store's own verb, for beats that are asked for. */
  readonly beat: (beat: WorkerBeat) => Promise<BeatReceipt>;
  /** Where the caller brought a clock, as tests do, it says when to beat, and there is no thread. */
  readonly clock?: Clock | undefined;
}

/**
 * The caller's side of beats, for stores that are servers. The thread (heart.ts) starts with the first worker and ends
 * with the store; one that dies is started again. Nothing here keeps the process alive.
 */
export class KeepAlives {
  readonly #options: KeepAlivesOptions;
  readonly #keepers = new Map<number, Keeper>();
  #thread: Worker | null = null;
  #lastNumber = 0;
  #closed = false;

  constructor(options: KeepAlivesOptions) {
    this.#options = options;
  }

  start(options: KeepAliveOptions): KeepAlive {
    const number = ++this.#lastNumber;
    const { beat, clock } = this.#options;
    const say = (message: ToHeart) => this.#thread?.postMessage(message);
    const keeper = new Keeper(options, {
      beat,
      tell: (load) => say({ type: 'load', keeper: number, load }),
      letGo: () => {
        if (this.#keepers.delete(number)) say({ type: 'stop', keeper: number });
      },
    });
    this.#keepers.set(number, keeper);
    if (clock !== undefined) keeper.follow(clock);
    else if (this.#thread === null) this.#startThread();
    else say(startMessage(number, keeper));
    return keeper;
  }

  /** Resolves once the thread closed its connection. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const keeper of this.#keepers.values()) void keeper.close();
    const thread = this.#thread;
    if (thread === null) return;
    thread.ref();
    const ended = new Promise((resolve) => thread.once('exit', resolve));
    thread.postMessage({ type: 'close' } satisfies ToHeart);
    const timer = setTimeout(() => void thread.terminate(), CLOSE_MAX_MS);
    await ended;
    clearTimeout(timer);
  }

  #startThread(): void {
    const { module, url } = this.#options;
    // Nothing of the user's program is loaded into the thread: no preloaded modules, no loaders.
    const thread = new Worker(new URL(`./heart${EXTENSION}`, import.meta.url), {
      name: 'longshore heart',
      workerData: { longshoreHeart: true, module, url },
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: 2 },
    });
    thread.on('message', (message: FromHeart) => this.#hear(message));
    thread.on('error', (cause) => this.#fail(cause));
    thread.on('exit', () => this.#restart());
    // A listener for messages keeps the process alive again, so this comes after it.
    thread.unref();
    for (const [number, keeper] of this.#keepers) thread.postMessage(startMessage(number, keeper));
    this.#thread = thread;
  }

  #hear(message: FromHeart): void {
    const keeper = this.#keepers.get(message.keeper);
    if (message.type === 'beaten') keeper?.beaten(message.receipt);
    else keeper?.failed(fromWire(message.error));
  }

  #fail(cause: unknown): void {
    const error = new LongshoreError(
      'STORE_FAILED',
      `The thread that keeps the leases ended: ${String(cause)}. It is started again.`,
      { cause },
    );
    for (const keeper of this.#keepers.values()) keeper.failed(error);
  }

  #restart(): void {
    this.#thread = null;
    if (this.#closed) return;
    setTimeout(() => {
      if (!this.#closed && this.#thread === null && this.#keepers.size > 0) this.#startThread();
    }, RESTART_MS).unref();
  }
}

/** A thread that dies at once must not be started in a tight loop. */
const RESTART_MS = 1_000;
/** A server that does not answer must not hold up the end. */
const CLOSE_MAX_MS = 2_000;

/** `.ts` in the sources, `.js` as published. */
const EXTENSION = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

function startMessage(number: number, keeper: Keeper): ToHeart {
  return { type: 'start', keeper: number, ...keeper.settings };
}
