/** Times in buckets that grow by a fiftieth: a percentile is right to 1 %, and a run of any length takes 1,000 numbers. */
export class Latencies {
  readonly #buckets: number[] = [];
  #count = 0;
  #maxMs = 0;

  add(ms: number): void {
    const bucket = ms <= MIN_MS ? 0 : Math.ceil(Math.log(ms / MIN_MS) / GROWTH);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
    this.#count += 1;
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  /** Null before the first. */
  summary(): {
    readonly p50: number;
    readonly p95: number;
    readonly p99: number;
    readonly max: number;
  } | null {
    if (this.#count === 0) return null;
    return { p50: this.#at(0.5), p95: this.#at(0.95), p99: this.#at(0.99), max: this.#maxMs };
  }

  /** The middle of the bucket that holds the time which this share of all does not exceed. */
  #at(share: number): number {
    let left = Math.ceil(share * this.#count);
    const bucket = this.#buckets.findIndex((count = 0) => {
      left -= count;
      return left <= 0;
    });
    const ms = bucket === 0 ? MIN_MS : MIN_MS * Math.exp((bucket - 0.5) * GROWTH);
    return Math.min(ms, this.#maxMs);
  }
}

const MIN_MS = 0.1;
const GROWTH = Math.log(1.02);
