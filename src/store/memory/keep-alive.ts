import type { CancelTimer } from '../../core/clock.ts';
import type { BeatReceipt, KeepAlive, KeepAliveOptions, WorkerBeat, WorkerLoad } from '../store.ts';

/**
 * Beats on the caller's own event loop: a memory store has no other place that sees its data. A handler that blocks
 * the loop delays beats and reaper alike; `reap` lets overdue beats go first, so the lease is kept all the same.
 */
export class LoopKeepAlive implements KeepAlive {
  readonly #options: KeepAliveOptions;
  readonly #beat: (beat: WorkerBeat) => Promise<BeatReceipt>;
  readonly #after: (delayMs: number, fire: () => void) => CancelTimer;
  #load: WorkerLoad = { slots: 0, slotsUsed: 0, profiles: [] };
  #cancelTimer: CancelTimer = () => {};
  #closed = false;

  constructor(
    options: KeepAliveOptions,
    beat: (beat: WorkerBeat) => Promise<BeatReceipt>,
    after: (delayMs: number, fire: () => void) => CancelTimer,
  ) {
    this.#options = options;
    this.#beat = beat;
    this.#after = after;
    this.#plan();
  }

  update(load: WorkerLoad): void {
    this.#load = { ...load };
  }

  async beat(): Promise<void> {
    const { worker, leaseMs, onBeat } = this.#options;
    const receipt = await this.#beat({ worker, leaseMs, load: this.#load });
    if (!this.#closed) onBeat(receipt);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer();
  }

  #plan(): void {
    this.#cancelTimer = this.#after(this.#options.intervalMs, () => {
      this.beat().catch((error: unknown) => {
        if (!this.#closed) this.#options.onError(error);
      });
      this.#plan();
    });
  }
}

/** A timer of the machine that lets the process end. */
export function unrefTimer(delayMs: number, fire: () => void): CancelTimer {
  const timer = setTimeout(fire, Math.min(delayMs, 2 ** 31 - 1));
  timer.unref();
  return () => clearTimeout(timer);
}
