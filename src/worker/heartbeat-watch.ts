import type { CancelTimer, Clock } from '../core/clock.ts';

/**
 * Notices that a handler has not said for `timeoutMs` that it is alive. It counts quarters in which nothing was heard
 * instead of comparing times: while this event loop was held, whatever the handler said waits behind the timer, and must not
 * count as silence. So it takes `timeoutMs` to a quarter more.
 */
export class HeartbeatWatch {
  readonly #clock: Clock;
  readonly #quarterMs: number;
  readonly #onMissed: () => void;
  #cancel: CancelTimer;
  #silent = 0;

  constructor(clock: Clock, timeoutMs: number, onMissed: () => void) {
    this.#clock = clock;
    this.#quarterMs = timeoutMs / QUARTERS;
    this.#onMissed = onMissed;
    this.#cancel = this.#look();
  }

  /** The handler is alive. Costs nothing, since handlers may say so in a tight loop. */
  beat(): void {
    // The quarter that has begun is not silent any more: it does not count.
    this.#silent = -1;
  }

  stop(): void {
    this.#cancel();
  }

  #look(): CancelTimer {
    return this.#clock.after(this.#quarterMs, () => {
      this.#silent += 1;
      if (this.#silent < QUARTERS) this.#cancel = this.#look();
      else this.#onMissed();
    });
  }
}

const QUARTERS = 4;
