import { type Cell, type CellFigures, type LaneStrategy, PREFETCH_DEFAULT, sameCell } from './cell.ts';
import { fastest, GAIN_MIN, gainOf, kneeOf } from './knee.ts';
import { choose, merged } from './recommend.ts';

/**
 * Which cell to measure next: a pure rule over what was measured. Each strategy climbs, twice or four times as many jobs
 * at a time with each step, up to its knee. Then the best cell is measured with other prefetch, and once more.
 */
export interface PlanSettings {
  readonly strategies: readonly LaneStrategy[];
  /** Null: climb. Else exactly these. */
  readonly concurrencies: readonly number[] | null;
  readonly concurrencyMax: number;
  /** Null: chosen here. Else exactly these, in every cell. */
  readonly prefetches: readonly number[] | null;
  readonly cores: number;
  readonly p99Max: number | null;
}

/** Null: nothing is left to measure. */
export function nextCell(done: readonly CellFigures[], settings: PlanSettings): Cell | null {
  const { strategies, concurrencies, prefetches } = settings;
  const [prefetchMax = PREFETCH_DEFAULT] = prefetches ?? [];
  for (const strategy of strategies) {
    const climbed = done.filter((cell) => cell.strategy === strategy && cell.prefetchMax === prefetchMax);
    const concurrency =
      concurrencies === null
        ? climb(ascending(climbed), strategy, done, settings)
        : (concurrencies.find((one) => !climbed.some((cell) => cell.concurrency === one)) ?? null);
    if (concurrency !== null) return { strategy, concurrency, prefetchMax };
  }
  if (prefetches !== null) return allPrefetches(done, prefetches);
  // Once more first: what comes then is about the best cell.
  return concurrencies === null ? (onceMore(done, settings) ?? otherPrefetch(done, settings)) : null;
}

function climb(
  cells: readonly CellFigures[],
  strategy: LaneStrategy,
  done: readonly CellFigures[],
  { cores, concurrencyMax }: PlanSettings,
): number | null {
  const last = cells.at(-1);
  if (last === undefined) return Math.min(concurrencyMax, firstStep(strategy, done, cores));
  if (kneeOf(cells) !== null || last.concurrency >= concurrencyMax) return null;
  const inline = fastest(done.filter((cell) => cell.strategy === 'async'));
  // Jobs that wait gain nothing by threads: one cell shows what those cost.
  if (strategy !== 'async' && inline !== null && !fillsLoop(done) && gainOf(inline, last) < GAIN_MIN)
    return null;
  return Math.min(concurrencyMax, last.concurrency * (hasRoom(cells, cores) ? 4 : 2));
}

/** Inline from one on. In a pool from half of the cores on, or where jobs wait, as many as were best inline. */
function firstStep(strategy: LaneStrategy, done: readonly CellFigures[], cores: number): number {
  if (strategy === 'async') return 1;
  const inline = fastest(done.filter((cell) => cell.strategy === 'async'));
  return inline === null || fillsLoop(done) ? Math.max(1, cores >> 1) : inline.concurrency;
}

/** Whether one job at a time keeps the event loop busy for much of the time. */
function fillsLoop(done: readonly CellFigures[]): boolean {
  const [single] = ascending(done.filter((cell) => cell.strategy === 'async'));
  return single !== undefined && single.loopBusy / single.concurrency >= LOOP_SHARE_MIN;
}

const LOOP_SHARE_MIN = 0.15;

/** The rate grew with the jobs, and takes little: so the next step may be a large one. Others may keep the machine busy. */
function hasRoom(cells: readonly CellFigures[], cores: number): boolean {
  const [before, last] = cells.slice(-2);
  if (before === undefined || last === undefined) return false;
  const grown = last.concurrency / before.concurrency;
  return last.cpuCores < cores / 4 && last.loopBusy < 0.4 && gainOf(before, last) + 1 > 0.7 * grown;
}

function otherPrefetch(done: readonly CellFigures[], { p99Max }: PlanSettings): Cell | null {
  const best = choose(withDefault(done), p99Max);
  if (best === null) return null;
  const { strategy, concurrency } = best;
  const cells = [0, concurrency].map((prefetchMax): Cell => ({ strategy, concurrency, prefetchMax }));
  return cells.find((cell) => !done.some((one) => sameCell(one, cell))) ?? null;
}

/** A figure that comes but once may be chance: the best cell, and those that come near it, are measured again. */
function onceMore(done: readonly CellFigures[], { p99Max }: PlanSettings): Cell | null {
  const cells = merged(withDefault(done)).sort((one, other) => other.jobsPerSecond - one.jobsPerSecond);
  const best = choose(cells, p99Max);
  if (best === null) return null;
  const near = cells.filter(({ jobsPerSecond }) => jobsPerSecond >= NEAR * best.jobsPerSecond);
  const again = [best, ...near.slice(0, NEAR_MAX)].find(
    (cell) => done.filter((one) => sameCell(one, cell)).length === 1,
  );
  if (again === undefined) return null;
  const { strategy, concurrency, prefetchMax } = again;
  return { strategy, concurrency, prefetchMax };
}

const NEAR = 0.8;
const NEAR_MAX = 3;

function withDefault(cells: readonly CellFigures[]): CellFigures[] {
  return cells.filter(({ prefetchMax }) => prefetchMax === PREFETCH_DEFAULT);
}

function allPrefetches(done: readonly CellFigures[], prefetches: readonly number[]): Cell | null {
  for (const { strategy, concurrency } of done)
    for (const prefetchMax of prefetches) {
      const cell = { strategy, concurrency, prefetchMax };
      if (!done.some((one) => sameCell(one, cell))) return cell;
    }
  return null;
}

function ascending(cells: readonly CellFigures[]): CellFigures[] {
  return [...cells].sort((one, other) => one.concurrency - other.concurrency);
}
