import type { CancelTimer, Clock } from '../core/clock.ts';

const FIRST_MS = 100;
const LONGEST_MS = 5_000;

/** Waits between tries of a service that cannot reach the store: 100 ms, doubling, at most 5 s, jittered by a fifth. */
export class BackoffTimer {
  readonly #clock: Clock;
  readonly #random: () => number;
  #failures = 0;
  #cancel: CancelTimer | null = null;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  get waiting(): boolean {
    return this.#cancel !== null;
  }

  /** Calls `again` after the next wait, and returns that wait in ms. */
  retry(again: () => void): number {
    const wait = Math.min(FIRST_MS * 2 ** this.#failures, LONGEST_MS) * (0.8 + 0.4 * this.#random());
    this.#failures += 1;
    this.#cancel?.();
    this.#cancel = this.#clock.after(wait, () => {
      this.#cancel = null;
      again();
    });
    return Math.round(wait);
  }

  /** After a success, or to forget a pending try. */
  reset(): void {
    this.#failures = 0;
    this.#cancel?.();
    this.#cancel = null;
  }
}
