/**
 * Notices when the event loop was held for longer than it may be, while handlers run on it. What a handler does before
 * its first await is timed exactly, by whoever calls it (`ran`); for the rest a timer is late, and every task that ran
 * meanwhile may have done it. A timer is also late where the process had no core: then the loop was not busy for so
 * long, and only as long as it was busy counts. The timer runs only while there is somebody to suspect, and keeps no
 * process alive.
 */
export class BlockWatch {
  readonly limitMs: number;
  /** Jobs of each suspect that run on the loop. */
  readonly #running = new Map<Suspect, number>();
  #timer: NodeJS.Timeout | null = null;
  readonly #loop: () => LoopTime;
  #last: LoopTime = { now: 0, busyMs: 0 };

  constructor(limitMs: number, loop: () => LoopTime = loopTime) {
    this.limitMs = limitMs;
    this.#loop = loop;
  }

  /** The part of a handler that ran at once took from `began` to `ended`. */
  ran(suspect: Suspect, began: number, ended: number): void {
    const heldMs = ended - began;
    if (heldMs < this.limitMs) return;
    // It is known who did it: the timer, which is late now, must not blame the others.
    this.#last = this.#loop();
    suspect.onBlocked(heldMs, true);
  }

  /** A job of it waits for something, and will go on on the loop. */
  enter(suspect: Suspect): void {
    this.#running.set(suspect, (this.#running.get(suspect) ?? 0) + 1);
    if (this.#timer !== null) return;
    this.#last = this.#loop();
    this.#timer = setInterval(() => this.#look(), this.#intervalMs).unref();
  }

  leave(suspect: Suspect): void {
    const left = (this.#running.get(suspect) ?? 0) - 1;
    // A job that ends by holding the loop leaves before the timer is late: so look first.
    if (this.#timer !== null) this.#look();
    if (left > 0) this.#running.set(suspect, left);
    else this.#running.delete(suspect);
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#running.clear();
  }

  get #intervalMs(): number {
    return Math.max(5, this.limitMs / 4);
  }

  #look(): void {
    const { now, busyMs } = this.#loop();
    const heldMs = Math.min(now - this.#last.now - this.#intervalMs, busyMs - this.#last.busyMs);
    this.#last = { now, busyMs };
    if (heldMs >= this.limitMs) {
      const certain = this.#running.size === 1;
      for (const suspect of [...this.#running.keys()]) suspect.onBlocked(heldMs, certain);
    }
    if (this.#running.size === 0) this.close();
  }
}

export interface Suspect {
  onBlocked(heldMs: number, certain: boolean): void;
}

export interface LoopTime {
  /** As `performance.now()`. */
  readonly now: number;
  /** Time in which the event loop of this thread was not idle, ms. */
  readonly busyMs: number;
}

function loopTime(): LoopTime {
  return { now: performance.now(), busyMs: performance.eventLoopUtilization().active };
}
