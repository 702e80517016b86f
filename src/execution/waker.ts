/**
 * Wakes a thread that waits for messages on shared memory, which takes half of the time that a way through its event
 * loop does. Such a wait has no time limit of its own (one would cost more than all else, above all on a virtual
 * machine, where timers are expensive): a thread that was sent nothing for some milliseconds is sent back to its event
 * loop from here, so that nothing that jobs left behind there stands still.
 *
 * When a thread takes a message is not known here, where it is busy with what a job left behind, or has no core. So it
 * writes how many it has done with, and is looked at, ever more seldom, until those are all that were sent.
 */
export class Waker {
  /** Counts wake-ups; the thread waits for it to change. */
  readonly posted = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  /** Written by the thread: messages after which it went back to its event loop. */
  readonly heard = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  #messages = 0;
  /** There was a message since the last look. */
  #fresh = false;

  /** A message was posted. */
  wake(): void {
    this.#messages = (this.#messages + 1) | 0;
    this.#signal();
    this.#fresh = true;
    WATCHED.add(this);
    lookSoon();
  }

  /** The thread is gone. */
  forget(): void {
    WATCHED.delete(this);
  }

  /** Sends the thread back to its event loop if there was no message since the last look. Returns whether there was. */
  look(): boolean {
    const fresh = this.#fresh;
    this.#fresh = false;
    if (!fresh) this.#signal();
    return fresh;
  }

  /** The thread is in its event loop, and no message is on its way to it. */
  get done(): boolean {
    return Atomics.load(this.heard, 0) === this.#messages;
  }

  #signal(): void {
    Atomics.add(this.posted, 0, 1);
    Atomics.notify(this.posted, 0);
  }
}

const LOOK_MS = 2;
/** A thread that computes is looked at as seldom as this. */
const LOOK_MAX_MS = 64;
/** Threads that may be waiting, now or soon. */
const WATCHED = new Set<Waker>();
let timer: NodeJS.Timeout | null = null;
let intervalMs = LOOK_MS;

function lookSoon(): void {
  if (timer !== null && intervalMs === LOOK_MS) return;
  if (timer !== null) clearInterval(timer);
  lookEvery(LOOK_MS);
}

function lookEvery(ms: number): void {
  intervalMs = ms;
  timer = setInterval(lookAtAll, ms).unref();
}

function lookAtAll(): void {
  let fresh = false;
  for (const waker of WATCHED) {
    if (waker.look()) fresh = true;
    else if (waker.done) WATCHED.delete(waker);
  }
  if (fresh || timer === null) return;
  clearInterval(timer);
  timer = null;
  if (WATCHED.size > 0) lookEvery(Math.min(2 * intervalMs, LOOK_MAX_MS));
}
