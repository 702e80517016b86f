import type { CellFigures } from './cell.ts';

/**
 * Whether more jobs at a time are worth it: a pure rule over the cells of one strategy, in rising order of their
 * concurrency. The knee is the last cell before the curve bends.
 */
export interface Knee {
  /**
   * `cpu`: the machine's processor is full. `loop`: the event loop is, which is one core. `p99`: jobs take longer faster
   * than their rate grows. `flat`: the rate does not grow, and what is full is not seen from here.
   */
  readonly why: 'cpu' | 'loop' | 'p99' | 'flat';
  readonly at: CellFigures;
}

/** Null while the last cell still gained. */
export function kneeOf(cells: readonly CellFigures[]): Knee | null {
  const last = cells.at(-1);
  const before = cells.slice(0, -1);
  const at = fastest(before);
  if (last === undefined || at === null) return null;
  const gain = gainOf(at, last);
  if (gain < GAIN_MIN) {
    if (last.strategy === 'async' && last.loopBusy >= FULL) return { why: 'loop', at };
    if (last.machineBusy >= FULL) return { why: 'cpu', at };
  }
  // The rate by the time of the slowest jobs: Kleinrock's power, whose top is where a queue is best run.
  if (powerOf(last) < POWER_LEFT_MIN * Math.max(...before.map(powerOf))) return { why: 'p99', at };
  const previous = fastest(before.slice(0, -1));
  const flatBefore = previous !== null && gainOf(previous, before.at(-1) as CellFigures) < FLAT_GAIN;
  return gain < FLAT_GAIN && flatBefore ? { why: 'flat', at: previous } : null;
}

/** Less than this is no reason to run more jobs at a time. */
export const GAIN_MIN = 0.1;
const FLAT_GAIN = 0.05;
/** A processor or loop that is so busy has no time left that could be used. */
const FULL = 0.9;
const POWER_LEFT_MIN = 0.5;
/** Times below this are no reason to run fewer jobs at a time. */
const MS_FLOOR = 2;

export function powerOf({ jobsPerSecond, runMs }: CellFigures): number {
  return jobsPerSecond / Math.max(runMs.p99, MS_FLOOR);
}

/** 0.1 where the rate of the second is a tenth higher. */
export function gainOf(one: CellFigures, other: CellFigures): number {
  return other.jobsPerSecond / one.jobsPerSecond - 1;
}

/** The first of the highest rate. */
export function fastest(cells: readonly CellFigures[]): CellFigures | null {
  return cells.reduce<CellFigures | null>(
    (best, cell) => (best === null || cell.jobsPerSecond > best.jobsPerSecond ? cell : best),
    null,
  );
}
