/**
 * How many jobs to hold ready beyond the running ones. Little's law: slots that end a job every `run` ms use up
 * `slots * roundTrip / run` jobs while one claim is under way; holding twice that keeps them busy. Jobs that take
 * longer than a claim get no prefetch at all, so slow jobs are never hoarded by one worker.
 * Both times are exponential moving averages, weight 1/8 for a new value (as TCP smooths its round trip, RFC 6298).
 */
export class Prefetch {
  readonly #max: number;
  #roundTripMs = 1;
  #runMs = Number.POSITIVE_INFINITY;

  constructor(max: number) {
    this.#max = max;
  }

  /** A full claim took this long. */
  observeClaim(tookMs: number): void {
    this.#roundTripMs += (tookMs - this.#roundTripMs) / 8;
  }

  /** A job held its slot for this long. */
  observeRun(tookMs: number): void {
    this.#runMs =
      this.#runMs === Number.POSITIVE_INFINITY ? tookMs : this.#runMs + (tookMs - this.#runMs) / 8;
  }

  /** No slot became free for this long: whatever was fast before, the jobs are slow now. */
  observeStall(stalledMs: number): void {
    this.#runMs = Math.max(this.#runMs, stalledMs);
  }

  /** For this many slots; 0 to the maximum. */
  size(slots: number): number {
    const used = (slots * this.#roundTripMs) / Math.max(this.#runMs, 0.001);
    return Math.min(this.#max, Math.floor(2 * used));
  }
}
