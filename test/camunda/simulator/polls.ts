import type { CancelTimer, Clock } from '../../../src/core/clock.ts';
import type { Engine } from './engine.ts';
import type { Job } from './records.ts';

/** Long poll when a request says 0, ms. */
const POLL_MS = 10_000;

export interface Poll {
  readonly type: string;
  readonly max: number;
  readonly worker: string;
  readonly timeoutMs: number;
  readonly withLease: boolean;
  /** Negative: answered at once. */
  readonly requestTimeoutMs: number;
  /** The client has gone. Its poll stays all the same, and jobs go into it: the fault that every user meets. */
  isAbandoned(): boolean;
  answer(jobs: readonly Job[]): void;
}

/** Requests for jobs that wait, the oldest first. */
export class Polls {
  readonly #clock: Clock;
  readonly #waiting = new Map<Poll, CancelTimer>();
  readonly #engine: () => Engine;

  constructor(clock: Clock, engine: () => Engine) {
    this.#clock = clock;
    this.#engine = engine;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  add(poll: Poll): void {
    if (poll.requestTimeoutMs < 0 || this.#engine().hasReady(poll.type)) this.#serve(poll);
    else {
      const waitMs = poll.requestTimeoutMs === 0 ? POLL_MS : poll.requestTimeoutMs;
      this.#waiting.set(
        poll,
        this.#clock.after(waitMs, () => this.#serve(poll)),
      );
    }
  }

  /** Jobs of this type may be given out. Waits for the change under way to end. */
  wake(type: string): void {
    queueMicrotask(() => {
      for (const poll of this.#waiting.keys())
        if (poll.type === type && this.#engine().hasReady(type)) this.#serve(poll);
    });
  }

  /** As when the server goes down. */
  close(): void {
    for (const cancel of this.#waiting.values()) cancel();
    this.#waiting.clear();
  }

  #serve(poll: Poll): void {
    this.#waiting.get(poll)?.();
    this.#waiting.delete(poll);
    const engine = this.#engine();
    const jobs = engine.activate(poll.type, poll.max, poll);
    if (poll.isAbandoned()) engine.counts.abandoned += jobs.length;
    else poll.answer(jobs);
  }
}
