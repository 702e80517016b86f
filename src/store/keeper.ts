import type { CancelTimer, Clock } from '../core/clock.ts';
import type { BeatReceipt, KeepAlive, KeepAliveOptions, WorkerBeat, WorkerLoad } from './store.ts';

/** What a keeper takes from the store it beats for. */
export interface KeeperMeans {
  readonly beat: (beat: WorkerBeat) => Promise<BeatReceipt>;
  readonly tell: (load: WorkerLoad) => void;
  readonly letGo: () => void;
}

/**
 * One worker's beats, as its process sees them: the load it was told last, and whom to tell what came back. Whoever makes
 * the beats at their interval does so on a thread; where the caller brought a clock, `follow` makes them here.
 */
export class Keeper implements KeepAlive {
  readonly #options: KeepAliveOptions;
  readonly #means: KeeperMeans;
  #load: WorkerLoad = { slots: 0, slotsUsed: 0 };
  #cancelTimer: CancelTimer = () => {};
  #beating = false;
  #closed = false;

  constructor(options: KeepAliveOptions, means: KeeperMeans) {
    this.#options = options;
    this.#means = means;
  }

  /** What a thread that beats must know of it. */
  get settings(): Pick<KeepAliveOptions, 'worker' | 'leaseMs' | 'intervalMs'> & {
    readonly load: WorkerLoad;
  } {
    const { worker, leaseMs, intervalMs } = this.#options;
    return { worker, leaseMs, intervalMs, load: this.#load };
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

  update({ slots, slotsUsed }: WorkerLoad): void {
    if (slots === this.#load.slots && slotsUsed === this.#load.slotsUsed) return;
    this.#load = { slots, slotsUsed };
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
