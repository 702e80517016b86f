import { setImmediate as nextTurn } from 'node:timers/promises';

interface Sleeper {
  readonly untilMs: number;
  readonly wake: () => void;
}

/**
 * Durations without clocks: handlers sleep, and the test wakes the one whose time comes first, once as many sleep as
 * are to run at once. The order is the one real durations would give on an infinitely fast machine.
 */
export class VirtualTime {
  nowMs = 0;
  mostAtOnce = 0;
  readonly #sleepers: Sleeper[] = [];

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#sleepers.push({ untilMs: this.nowMs + ms, wake: resolve });
      this.mostAtOnce = Math.max(this.mostAtOnce, this.#sleepers.length);
    });
  }

  /** Runs `jobs` sleeps to their end, of which `slots` may go on at once. */
  async run(jobs: number, slots: number): Promise<void> {
    for (let left = jobs; left > 0; left -= 1) {
      while (this.#sleepers.length < Math.min(slots, left)) await nextTurn();
      const next = this.#sleepers.reduce((first, other) => (other.untilMs < first.untilMs ? other : first));
      this.#sleepers.splice(this.#sleepers.indexOf(next), 1);
      this.nowMs = Math.max(this.nowMs, next.untilMs);
      next.wake();
    }
  }
}
