/** Waits between tries of what an engine does not take now: they double, up to a bound, each jittered by a fifth. */
export class Backoff {
  readonly #longestMs: number;
  #failures = 0;

  constructor(longestMs: number) {
    this.#longestMs = longestMs;
  }

  /** Resolves after the next wait, or at once when `signal` aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    const ms = Math.min(FIRST_MS * 2 ** this.#failures, this.#longestMs) * (0.8 + 0.4 * Math.random());
    this.#failures += 1;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener('abort', end);
    });
  }

  reset(): void {
    this.#failures = 0;
  }
}

const FIRST_MS = 100;
