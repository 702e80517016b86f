import { type Cell, type Figure, type KitDocument, type MachineProbe, SCHEMA } from '../kit/document.ts';
import { VERSION } from '../longshore.ts';
import { type CellFigures, cellName, sameCell } from './cell.ts';
import type { Figures } from './figures.ts';

/** The result as a document of the kit, so that its reports and comparisons read it, with the advice beside the cells. */
export type TaskDocument = KitDocument & { readonly task: TaskPart };

/** The part that no other result of the kit has. */
export type TaskPart = Pick<
  Figures,
  'file' | 'inputs' | 'recommendation' | 'leftOut' | 'cutShort' | 'interruptedAt' | 'profile'
> & { readonly name: string };

export interface DocumentFacts extends Pick<KitDocument, 'arguments' | 'startedAt' | 'tookMs' | 'machine'> {
  readonly before: MachineProbe;
  readonly after: MachineProbe;
  readonly store: string;
}

export function documentOf(figures: Figures, { store, ...facts }: DocumentFacts): TaskDocument {
  const { task: name, cells, server, file, inputs, recommendation, profile } = figures;
  const { leftOut, cutShort, interruptedAt } = figures;
  const distinct = cells.filter((cell, at) => cells.findIndex((one) => sameCell(one, cell)) === at);
  const rounds = distinct.map((cell) => cells.filter((one) => sameCell(one, cell)));
  return {
    schema: SCHEMA,
    command: 'task',
    ...facts,
    complete: !cutShort,
    roundsWanted: Math.max(...rounds.map(({ length }) => length)),
    servers: server === null ? [] : [{ ...server, settings: { ...server.settings } }],
    systems: [{ name: 'longshore', version: VERSION, durability: DURABILITY, retention: RETENTION }],
    cells: rounds.map((measured) => cellOf(name, store, measured)),
    targets: [],
    task: { name, file, inputs, recommendation, leftOut, cutShort, interruptedAt, profile },
  };
}

const DURABILITY =
  'As the store promises by default: what was acknowledged survives a crash, except in memory.';
const RETENTION = 'Completed jobs are kept, as by default.';

function cellOf(task: string, store: string, rounds: readonly CellFigures[]): Cell {
  const [cell] = rounds as readonly [CellFigures];
  const { strategy, concurrency, hosts, jobsPerHost, prefetchMax } = cell;
  const workload = { task, store, strategy, concurrency, hosts, jobsPerHost, prefetchMax };
  const figures = Object.entries(FIGURES).map(([name, { unit, better, of }]): [string, Figure] => [
    name,
    { unit, better, values: rounds.map(of) },
  ]);
  const counts = rounds.reduce(
    (sum, one) => ({
      enqueued: sum.enqueued + one.counts.enqueued,
      completed: sum.completed + one.counts.completed,
      unstarted: sum.unstarted + one.counts.unstarted,
    }),
    { enqueued: 0, completed: 0, unstarted: 0 },
  );
  return {
    id: `longshore ${task}: ${cellName(cell)}`,
    system: 'longshore',
    benchmark: 'task',
    workload,
    status: 'done',
    figures: Object.fromEntries(figures),
    histograms: { run: cell.runHistogram },
    details: {
      counts,
      weak: [...cell.runMs.weak],
      timed: rounds.map(({ jobs, seconds }) => ({ jobs, seconds })),
    },
  };
}

interface FigureRule {
  readonly unit: string;
  readonly better: Figure['better'];
  readonly of: (cell: CellFigures) => number;
}

const FIGURES: Readonly<Record<string, FigureRule>> = {
  jobsPerSecond: { unit: 'jobs/s', better: 'higher', of: (cell) => cell.jobsPerSecond },
  'run.mean': { unit: 'ms', better: 'lower', of: ({ runMs }) => runMs.mean },
  'run.p50': { unit: 'ms', better: 'lower', of: ({ runMs }) => runMs.p50 },
  'run.p95': { unit: 'ms', better: 'lower', of: ({ runMs }) => runMs.p95 },
  'run.p99': { unit: 'ms', better: 'lower', of: ({ runMs }) => runMs.p99 },
  'run.max': { unit: 'ms', better: 'lower', of: ({ runMs }) => runMs.max },
  cpuCores: { unit: 'cores', better: 'neither', of: (cell) => cell.cpuCores },
  machineBusy: { unit: 'share', better: 'neither', of: (cell) => cell.machineBusy },
  loopBusy: { unit: 'share', better: 'neither', of: (cell) => cell.loopBusy },
  'loopDelay.p99': { unit: 'ms', better: 'lower', of: ({ loopDelayMs }) => loopDelayMs.p99 },
  'loopDelay.max': { unit: 'ms', better: 'lower', of: ({ loopDelayMs }) => loopDelayMs.max },
  memoryMb: { unit: 'MB', better: 'lower', of: (cell) => cell.memoryMb },
};
