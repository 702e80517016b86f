import { decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js';
import type { Point } from '../chart.ts';

/** The distribution of several recorded histograms together, by shares of samples, in ms; null where one cannot be read. */
export function curveOf(encoded: readonly string[]): readonly Point[] | null {
  if (encoded.length === 0) return null;
  let all: Histogram;
  try {
    const [first, ...rest] = encoded.map((text) => decodeFromCompressedBase64(text, 'packed'));
    if (first === undefined) return null;
    all = first;
    for (const other of rest) all.add(other);
  } catch {
    return null;
  }
  const samples = all.totalCount;
  const shares = SHARES.filter((share) => samples * (1 - share) >= BEYOND_MIN);
  return shares.map((x) => ({ x, y: Math.max(all.getValueAtPercentile(x * 100), 1) / 1_000 }));
}

/** A percentile with fewer samples beyond it is a hint of the tail, no measurement of it. */
const BEYOND_MIN = 10;

/** Evenly apart on the axis of nines. */
const SHARES = Array.from({ length: 80 }, (_, n) => Number((1 - 10 ** (-(n + 1) / 20)).toFixed(6)));
