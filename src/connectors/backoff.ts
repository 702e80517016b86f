import type { Clock } from '../core/clock.ts';

const FIRST_MS = 100;
const RETRY_AFTER_MAX_MS = 60_000;

/** Waits between tries of what an engine does not take now: they double up to a bound, half of each by chance, so that a fleet does not come back at once. */
export class Backoff {
  readonly #longestMs: number;
  readonly #firstMs: number;
  #failures = 0;

  constructor(longestMs: number, firstMs = FIRST_MS) {
    this.#longestMs = longestMs;
    this.#firstMs = firstMs;
  }

  /** Ms until the next try, or what the engine asked for where that is longer, at most a minute. */
  next(retryAfterMs: number | null = null): number {
    const ms = Math.min(this.#firstMs * 2 ** this.#failures, this.#longestMs) * (0.5 + Math.random() / 2);
    this.#failures += 1;
    return Math.max(ms, Math.min(retryAfterMs ?? 0, RETRY_AFTER_MAX_MS));
  }

  reset(): void {
    this.#failures = 0;
  }
}

/** Resolves after `ms`, or as soon as the signal aborts. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal.addEventListener('abort', done);
  });
}
