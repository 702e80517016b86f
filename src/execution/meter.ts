import type { Usage } from './protocol.ts';

/** What a job takes of its host, and what the host takes of memory. */
export class Meter {
  readonly #recycleBytes: number | null;
  #lookedAt = 0;
  #spent = false;

  constructor(recycleBytes: number | null) {
    this.#recycleBytes = recycleBytes;
  }

  start(): { stop(): Usage } {
    const [cpu, wall] = [busyMs(), performance.now()];
    let [lookedAt, heldMs] = [wall, 0];
    // Late by as long as the loop was held; of a piece that begins between two looks, at most one interval is missed.
    const look = (): void => {
      const now = performance.now();
      heldMs = Math.max(heldMs, now - lookedAt - HELD_LOOK_MS);
      lookedAt = now;
    };
    const timer = setInterval(look, HELD_LOOK_MS).unref();
    const stop = (): Usage => {
      clearInterval(timer);
      look();
      const busy = busyMs() - cpu;
      // A timer is also late where the cores are busy with something else, which is no fault of the job.
      return { busyMs: busy, wallMs: performance.now() - wall, heldMs: Math.min(heldMs, busy) };
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

/**
 * Not CPU time, but time in which the event loop was not idle: that is what the job would take of the worker's own loop,
 * also where it blocks on a file or where the cores are busy with something else.
 */
function busyMs(): number {
  return performance.eventLoopUtilization().active;
}
