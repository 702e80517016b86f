/**
 * Wakes a thread that waits for messages on shared memory, which takes half of the time that a way through its event
 * loop does. Such a wait has no time limit of its own (one would cost more than all else, above all on a virtual
 * machine, where timers are expensive): a thread that was sent nothing for some milliseconds is sent back to its event
 * loop from here, so that nothing that jobs left behind there stands still.
 */
export class Waker {
  /** Counts wake-ups; the thread waits for it to change. */
  readonly posted = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  /** Messages since the last look. */
  #fresh = false;

  /** A message was posted. */
  wake(): void {
    this.#signal();
    this.#fresh = true;
    WATCHED.add(this);
    if (timer === null) timer = setInterval(lookAtAll, LOOK_MS).unref();
  }

  /** The thread is gone. */
  forget(): void {
    WATCHED.delete(this);
  }

  /** Whether there was a message since the last look; if not, the thread goes back to its event loop. */
  look(): boolean {
    const fresh = this.#fresh;
    this.#fresh = false;
    if (!fresh) this.#signal();
    return fresh;
  }

  #signal(): void {
    Atomics.add(this.posted, 0, 1);
    Atomics.notify(this.posted, 0);
  }
}

const LOOK_MS = 2;
/** Threads that may be waiting. */
const WATCHED = new Set<Waker>();
let timer: NodeJS.Timeout | null = null;

function lookAtAll(): void {
  for (const waker of WATCHED) if (!waker.look()) WATCHED.delete(waker);
  if (WATCHED.size > 0 || timer === null) return;
  clearInterval(timer);
  timer = null;
}
