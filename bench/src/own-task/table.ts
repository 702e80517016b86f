import { type CellFigures, PREFETCH_DEFAULT } from './cell.ts';
import type { Column } from './cli.ts';
import type { Recommendation } from './figures.ts';
import { msText, percentText, rateText } from './words.ts';

/** The cells as a table; the one to use is marked. */
export function cellColumns(use: Recommendation): Column<CellFigures>[] {
  const isUsed = (cell: CellFigures): boolean =>
    cell.strategy === use.strategy &&
    cell.concurrency === use.concurrency &&
    cell.prefetchMax === use.prefetchMax;
  const weak = ({ runMs }: CellFigures): string => (runMs.weak.includes('p99') ? '~' : '');
  const format = (cell: CellFigures) => (isUsed(cell) ? 'green' : null);
  const column = (
    title: string,
    value: (cell: CellFigures) => string,
    more: Partial<Column<CellFigures>> = {},
  ): Column<CellFigures> => ({ title, value, align: 'right', format, ...more });
  return [
    column('', (cell) => (isUsed(cell) ? '>' : ''), { align: 'left' }),
    column('STRATEGY', ({ strategy }) => strategy, { align: 'left' }),
    column('AT A TIME', ({ concurrency }) => String(concurrency)),
    column(
      'PREFETCH',
      ({ prefetchMax }) => (prefetchMax === PREFETCH_DEFAULT ? 'default' : String(prefetchMax)),
      {
        optional: 2,
      },
    ),
    column('JOBS/S', ({ jobsPerSecond }) => rateText(jobsPerSecond)),
    column('RUN P50', ({ runMs }) => msText(runMs.p50)),
    column('P99', (cell) => weak(cell) + msText(cell.runMs.p99)),
    column('CORES', ({ cpuCores }) => cpuCores.toFixed(1), { optional: 1 }),
    column('LOOP', ({ loopDelayMs }) => msText(loopDelayMs.p99), { optional: 3 }),
    column('MB', ({ memoryMb }) => String(memoryMb), { optional: 4 }),
    column('MACHINE', ({ machineBusy }) => percentText(machineBusy), { optional: 5 }),
    column('JOBS', ({ jobs }) => String(jobs), { optional: 6 }),
  ];
}

const ORDER = ['async', 'thread', 'process'];

/** By strategy, then by how many at a time. */
export function inOrder(cells: readonly CellFigures[]): CellFigures[] {
  return [...cells].sort(
    (one, other) =>
      ORDER.indexOf(one.strategy) - ORDER.indexOf(other.strategy) ||
      one.concurrency - other.concurrency ||
      other.prefetchMax - one.prefetchMax,
  );
}
