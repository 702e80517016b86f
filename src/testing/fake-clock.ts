import type { CancelTimer, Clock } from '../core/clock.ts';

interface Timer {
  readonly at: number;
  readonly fire: () => void;
}

/**
 * A clock that moves only by hand. Timers go by the time that passed (`advance`); `setTime` sets the wall time alone,
 * as an operator or a time server does, and no timer takes notice.
 */
export class FakeClock implements Clock {
  #passedMs = 0;
  #startMs: number;
  #timers: Timer[] = [];

  /** `startMs`: the time at first, in ms since the epoch. */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#startMs = startMs;
  }

  now(): number {
    return this.#startMs + this.#passedMs;
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.length;
  }

  after(delayMs: number, fire: () => void): CancelTimer {
    const timer = { at: this.#passedMs + Math.max(0, delayMs), fire };
    const later = this.#timers.findIndex((other) => other.at > timer.at);
    this.#timers.splice(later === -1 ? this.#timers.length : later, 0, timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Lets `ms` pass: fires what becomes due, in order and at its time, and lets promises run after each. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#passedMs + ms;
    await promisesRun();
    for (let timer = this.#timers[0]; timer !== undefined && timer.at <= endMs; timer = this.#timers[0]) {
      this.#timers.shift();
      this.#passedMs = Math.max(this.#passedMs, timer.at);
      timer.fire();
      await promisesRun();
    }
    this.#passedMs = endMs;
    await promisesRun();
  }

  /** Sets the wall time, forwards or backwards. */
  setTime(ms: number): void {
    this.#startMs = ms - this.#passedMs;
  }
}

/** A few turns of the event loop: enough for chains of promises and for what itself waits for a turn. */
async function promisesRun(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
