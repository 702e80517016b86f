import { Worker } from 'node:worker_threads';
import type { CancelTimer, Clock } from '../core/clock.ts';
import { LongshoreError } from '../core/errors.ts';
import { namedReasonOf } from '../core/legible.ts';
import { ownFile } from '../own-file.ts';
import { type FromHeart, fromWire, type HeartSettings, type ToHeart } from './heart.ts';
import type { BeatReceipt, KeepAlive, KeepAliveOptions, WorkerBeat, WorkerLoad } from './store.ts';

export interface KeepAlivesOptions extends Omit<HeartSettings, 'module'> {
  /** As in HeartSettings. Throws PACKAGE_INCOMPLETE. */
  readonly module: () => string;
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
    else say(keeper.start(number));
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
    const thread = new Worker(ownFile('./heart', import.meta.url), {
      name: 'longshore heart',
      workerData: { longshoreHeart: true, module: module(), url },
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: 2 },
    });
    thread.on('message', (message: FromHeart) => this.#hear(message));
    thread.on('error', (cause) => this.#fail(cause));
    thread.on('exit', () => this.#restart());
    // A listener for messages keeps the process alive again, so this comes after it.
    thread.unref();
    for (const [number, keeper] of this.#keepers) thread.postMessage(keeper.start(number));
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
      `The thread that keeps the leases ended: ${namedReasonOf(cause)}. It is started again.`,
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

interface Means {
  readonly beat: (beat: WorkerBeat) => Promise<BeatReceipt>;
  readonly tell: (load: WorkerLoad) => void;
  readonly letGo: () => void;
}

class Keeper implements KeepAlive {
  readonly #options: KeepAliveOptions;
  readonly #means: Means;
  #load: WorkerLoad = { slots: 0, slotsUsed: 0, profiles: [] };
  #cancelTimer: CancelTimer = () => {};
  #beating = false;
  #closed = false;

  constructor(options: KeepAliveOptions, means: Means) {
    this.#options = options;
    this.#means = means;
  }

  /** What the thread must know of it. */
  start(keeper: number): ToHeart {
    const { worker, leaseMs, intervalMs } = this.#options;
    return { type: 'start', keeper, worker, leaseMs, intervalMs, load: this.#load };
  }

  follow(clock: Clock): void {
    this.#cancelTimer = clock.after(this.#options.intervalMs, () => {
      if (!this.#beating) void this.#beatOnce();
      this.follow(clock);
    });
  }

  /** As on the thread, beats never pile up: a test's clock runs faster than any server. */
  async #beatOnce(): Promise<void> {
    this.#beating = true;
    await this.beat().catch((error: unknown) => this.failed(error));
    this.#beating = false;
  }

  update({ slots, slotsUsed, profiles }: WorkerLoad): void {
    const known = this.#load;
    if (slots === known.slots && slotsUsed === known.slotsUsed && profiles === known.profiles) return;
    this.#load = { slots, slotsUsed, profiles };
    if (!this.#closed) this.#means.tell(this.#load);
  }

  async beat(): Promise<void> {
    const { worker, leaseMs } = this.#options;
    this.beaten(await this.#means.beat({ worker, leaseMs, load: this.#load }));
  }

  beaten(receipt: BeatReceipt): void {
    if (!this.#closed) this.#options.onBeat(receipt);
  }

  failed(error: unknown): void {
    if (!this.#closed) this.#options.onError(error);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer();
    this.#means.letGo();
  }
}
