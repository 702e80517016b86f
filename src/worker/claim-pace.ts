/**
 * How many jobs a worker may hold unstarted while its event loop, and not its slots, is what they wait for: handlers that
 * compute run one after the other, however many slots are free. By slots alone such a worker claims what its watch gives back
 * (buffer-watch.ts), again and again. So it holds what starts in half a second at the pace that the watch saw, half of what
 * would go back. A worker that used up what a claim brought within a quarter of a second may hold twice as many, however long
 * the claim took; without a limit it begins, and a pace beyond the largest claim is none.
 */
export class ClaimPace {
  #most = Number.POSITIVE_INFINITY;
  /** When a claim last brought jobs, in ms. */
  #broughtAt = Number.NEGATIVE_INFINITY;

  /**
   * So many jobs started in the last `ms`, while others waited and slots were free, and lately one took `runMs`: whatever
   * else kept them from starting, such as a busy machine, they are not slower than one after the other.
   */
  observe(started: number, ms: number, runMs = Number.POSITIVE_INFINITY): void {
    this.#limit(Math.max((started * HELD_MS) / ms, HELD_MS / runMs));
  }

  /** How many to ask for, of `wanted`; none before half of what may wait is gone, so that claims stay large. */
  room(wanted: number, waiting: number): number {
    const free = this.#most - waiting;
    return 2 * free < this.#most ? 0 : Math.min(wanted, Math.floor(free));
  }

  /** A claim is sent at `now`, in ms. */
  asked(waiting: number, now: number): void {
    if (waiting === 0 && now - this.#broughtAt < HELD_MS / 2) this.#limit(2 * this.#most);
  }

  /** A claim brought so many jobs at `now`, in ms. */
  brought(jobs: number, now: number): void {
    if (jobs > 0) this.#broughtAt = now;
  }

  #limit(most: number): void {
    this.#most = most > MOST ? Number.POSITIVE_INFINITY : Math.max(1, most);
  }
}

const HELD_MS = 500;
/** As many as a claim asks for at most. */
const MOST = 1_000;
