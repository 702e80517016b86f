import type { Usage } from './protocol.ts';

/** The event loop that jobs run on. Times in ms. */
export interface MeteredLoop {
  now(): number;
  /**
   * Not CPU time, but time in which the event loop was not idle: that is what the job would take of the worker's own loop,
   * also where it blocks on a file or where the cores are busy with something else.
   */
  activeMs(): number;
  /** Calls `look` again and again, late where the loop is held, until the returned function is called. */
  every(ms: number, look: () => void): () => void;
}

const THIS_LOOP: MeteredLoop = {
  now: () => performance.now(),
  activeMs: () => performance.eventLoopUtilization().active,
  every: (ms, look) => {
    const timer = setInterval(look, ms).unref();
    return () => clearInterval(timer);
  },
};

/** What a job takes of its host, and what the host takes of memory. */
export class Meter {
  readonly #recycleBytes: number | null;
  readonly #loop: MeteredLoop;
  #lookedAt = 0;
  #spent = false;

  /** `loop`: for tests; default: this thread's. */
  constructor(recycleBytes: number | null, loop: MeteredLoop = THIS_LOOP) {
    this.#recycleBytes = recycleBytes;
    this.#loop = loop;
  }

  start(): { stop(): Usage } {
    const loop = this.#loop;
    const [active, wall] = [loop.activeMs(), loop.now()];
    let [lookedAt, heldMs] = [wall, 0];
    // Late by as long as the loop was held; of a piece that begins between two looks, at most one interval is missed.
    const look = (): void => {
      const now = loop.now();
      heldMs = Math.max(heldMs, now - lookedAt - HELD_LOOK_MS);
      lookedAt = now;
    };
    const end = loop.every(HELD_LOOK_MS, look);
    const stop = (): Usage => {
      end();
      look();
      const busy = loop.activeMs() - active;
      // A timer is also late where the cores are busy with something else, which is no fault of the job.
      return { busyMs: busy, wallMs: loop.now() - wall, heldMs: Math.min(heldMs, busy) };
    };
    return { stop };
  }

  /** Whether the host takes more memory than it should keep. Looked up now and then, since it costs a system call. */
  spent(): boolean {
    if (this.#recycleBytes === null || this.#spent) return this.#spent;
    const now = performance.now();
    if (now - this.#lookedAt < LOOK_MS) return false;
    this.#lookedAt = now;
    const { heapTotal, external } = process.memoryUsage();
    this.#spent = heapTotal + external > this.#recycleBytes;
    return this.#spent;
  }
}

const LOOK_MS = 20;
const HELD_LOOK_MS = 20;
