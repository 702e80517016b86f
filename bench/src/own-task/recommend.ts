import { type CellFigures, type LaneStrategy, PREFETCH_DEFAULT, sameCell } from './cell.ts';
import { powerOf } from './knee.ts';

/**
 * Which cell to use: a pure rule. Of the cells that are about as fast as the fastest, the one whose slowest jobs take least
 * for its rate. A simpler place to run wins where the difference is small.
 */
export function choose(cells: readonly CellFigures[], p99Max: number | null): CellFigures | null {
  const distinct = merged(cells);
  const within = distinct.filter(({ runMs }) => p99Max === null || runMs.p99 <= p99Max);
  // Nothing keeps to the limit: then the cell that comes nearest.
  if (within.length === 0) return best(distinct, ({ runMs }) => -runMs.p99);
  const most = Math.max(...within.map(({ jobsPerSecond }) => jobsPerSecond));
  const fast = within.filter(({ jobsPerSecond }) => jobsPerSecond >= most * (1 - AS_FAST));
  const civil = fast.filter((cell) => !blocksLoop(cell));
  return best(civil.length > 0 ? civil : fast, (cell) => powerOf(cell) * SIMPLER[cell.strategy]);
}

/** Rates so near to the highest are taken for equal. */
export const AS_FAST = 0.1;
const SIMPLER: Readonly<Record<LaneStrategy, number>> = { async: 1.25, thread: 1, process: 0.85 };
/** Later than this, other jobs of the worker feel it. */
const LOOP_DELAY_MAX_MS = 100;

/** Its jobs keep the worker's event loop, so that all else in the worker waits. */
export function blocksLoop({ strategy, loopDelayMs }: CellFigures): boolean {
  return strategy === 'async' && loopDelayMs.p99 > LOOP_DELAY_MAX_MS;
}

/** One for each cell: what was measured again counts with its mean. */
export function merged(cells: readonly CellFigures[]): CellFigures[] {
  const first = cells.filter((cell, at) => cells.findIndex((one) => sameCell(one, cell)) === at);
  return first.map((cell) => {
    const all = cells.filter((one) => sameCell(one, cell));
    const mean = (figure: (cell: CellFigures) => number): number =>
      all.reduce((sum, one) => sum + figure(one), 0) / all.length;
    const p99 = mean(({ runMs }) => runMs.p99);
    return { ...cell, jobsPerSecond: mean((one) => one.jobsPerSecond), runMs: { ...cell.runMs, p99 } };
  });
}

/** How far the rates of a cell that was measured again lie apart, as a share; null where none was. */
export function noiseOf(cells: readonly CellFigures[]): number | null {
  const apart = merged(cells).map((cell) => {
    const rates = cells.filter((one) => sameCell(one, cell)).map(({ jobsPerSecond }) => jobsPerSecond);
    return rates.length < 2 ? null : (Math.max(...rates) - Math.min(...rates)) / cell.jobsPerSecond;
  });
  const known = apart.filter((share) => share !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/**
 * Prefetch is left to the worker unless another number is clearly faster: it adapts to how long jobs take, and what it
 * holds is only bounded by the setting.
 */
export function choosePrefetch(cells: readonly CellFigures[], chosen: CellFigures): number {
  const alike = merged(cells).filter(
    ({ strategy, concurrency }) => strategy === chosen.strategy && concurrency === chosen.concurrency,
  );
  const standard = alike.find(({ prefetchMax }) => prefetchMax === PREFETCH_DEFAULT);
  const fastest = best(alike, ({ jobsPerSecond }) => jobsPerSecond) ?? chosen;
  if (standard === undefined) return fastest.prefetchMax;
  const margin = Math.max(AS_FAST, noiseOf(cells) ?? 0);
  return fastest.jobsPerSecond > standard.jobsPerSecond * (1 + margin)
    ? fastest.prefetchMax
    : PREFETCH_DEFAULT;
}

function best(cells: readonly CellFigures[], worth: (cell: CellFigures) => number): CellFigures | null {
  return cells.reduce<CellFigures | null>(
    (found, cell) => (found === null || worth(cell) > worth(found) ? cell : found),
    null,
  );
}
