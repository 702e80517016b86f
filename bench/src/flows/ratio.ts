import { round } from '../spread.ts';
import type { SystemFigures } from './system-figures.ts';

/** Longshore's figure over the other system's. Of rates, more than 1 is faster; of times, less than 1 is. */
export interface FlowRatio {
  /** Runs a second with all runs started at once. */
  readonly burst: Readonly<Record<string, number>>;
  readonly endToEndMs: Readonly<Record<string, Percentiles>>;
  readonly edgeMs: Readonly<Record<string, Percentiles>>;
  /** Time of one fan-out, by its items. */
  readonly fanOut: Readonly<Record<string, number>>;
}

type Percentiles = Readonly<Record<'p50' | 'p95' | 'p99', number>>;

export function ratioOf(own: SystemFigures, other: SystemFigures): FlowRatio {
  const percentiles = (which: 'endToEndMs' | 'edgeMs') =>
    each(own.shapes, other.shapes, (ours, theirs): Percentiles => {
      const at = (name: 'p50' | 'p95' | 'p99'): number => round(ours[which][name] / theirs[which][name]);
      return { p50: at('p50'), p95: at('p95'), p99: at('p99') };
    });
  return {
    burst: each(own.burst, other.burst, (ours, theirs) => round(ours.runsPerSecond / theirs.runsPerSecond)),
    endToEndMs: percentiles('endToEndMs'),
    edgeMs: percentiles('edgeMs'),
    fanOut: each(own.fanOut, other.fanOut, (ours, theirs) => round(ours.ms / theirs.ms)),
  };
}

/** For what both have. */
function each<T, R>(
  own: Readonly<Record<string, T>>,
  other: Readonly<Record<string, T>>,
  ratio: (ours: T, theirs: T) => R,
): Record<string, R> {
  const made: Record<string, R> = {};
  for (const [name, ours] of Object.entries(own)) {
    const theirs = other[name];
    if (theirs !== undefined) made[name] = ratio(ours, theirs);
  }
  return made;
}
