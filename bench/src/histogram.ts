import { build, encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import { round } from './spread.ts';

/**
 * Durations in an HDR histogram (hdrhistogram.org: constant relative error whatever the range), in µs with three
 * significant digits. hdr-histogram-js because it writes the format that other tools read.
 */
export class Durations {
  readonly #histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_US,
    numberOfSignificantValueDigits: 3,
  });
  #negative = 0;

  constructor(valuesMs: Iterable<number> = []) {
    for (const value of valuesMs) this.record(value);
  }

  record(ms: number): void {
    if (ms < 0) this.#negative += 1;
    this.#histogram.recordValue(Math.min(Math.max(Math.round(ms * 1_000), 0), HIGHEST_US));
  }

  /** Durations below zero: two clocks that do not agree. They count as 0. */
  get negative(): number {
    return this.#negative;
  }

  /** Milliseconds. */
  summary(): DurationSummary {
    const { totalCount: samples } = this.#histogram;
    const at = (percentile: number): number =>
      samples === 0 ? Number.NaN : round(this.#histogram.getValueAtPercentile(percentile) / 1_000);
    return {
      samples,
      mean: samples === 0 ? Number.NaN : round(this.#histogram.mean / 1_000),
      p50: at(50),
      p95: at(95),
      p99: at(99),
      p999: at(99.9),
      max: at(100),
      weak: PERCENTILES.filter(([, share]) => samples * (1 - share) < BEYOND_MIN).map(([name]) => name),
    };
  }

  /** In the compressed V2 encoding of HdrHistogram, base64, µs. */
  encoded(): string {
    return encodeIntoCompressedBase64(this.#histogram);
  }
}

export interface DurationSummary {
  readonly samples: number;
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** Percentiles with fewer than ten samples beyond them: a hint of the tail, no measurement of it. */
  readonly weak: readonly string[];
}

const HIGHEST_US = 3_600_000_000;
const BEYOND_MIN = 10;
const PERCENTILES = [
  ['p50', 0.5],
  ['p95', 0.95],
  ['p99', 0.99],
  ['p999', 0.999],
] as const;
