import type { Bench, CommonSettings } from '../bench.ts';
import { type Ratio, ratioOf } from '../kit/ratio.ts';
import { type Spread, spreadOf } from '../spread.ts';
import { formatMs, formatRate, formatRatio, spreadCells, table } from '../table.ts';

/** A workflow engine's own worker beside ours on the same server, in turns. Each engine says what its tasks are (engines/). */
export interface EngineSettings extends CommonSettings {
  readonly engine: EngineName;
  /** A running server; default: one is started. */
  readonly url?: string;
  readonly jobs: number;
  readonly concurrency: number;
}

/** What one worker did in one round. */
export interface EngineRound {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Processor time of the worker's process while it emptied the queue. */
  readonly cpuMicrosPerJob: number;
}

export interface EngineFigures {
  /** `ratio`: ours over the engine's own worker. */
  readonly throughput: Ratio & { readonly ours: Spread; readonly own: Spread };
  readonly p95: Ratio & { readonly ours: Spread; readonly own: Spread };
  /** Processor time of a task, ours over the engine's own worker. */
  readonly cpuShare: Ratio & { readonly ours: Spread; readonly own: Spread };
  readonly runs: readonly { readonly ours: EngineRound; readonly own: EngineRound }[];
}

type Measure = (settings: EngineSettings, bench: Bench) => Promise<Pick<EngineFigures, 'runs'>>;

const ENGINES = {
  operaton: async (): Promise<Measure> => (await import('../engines/operaton.ts')).measureOperaton,
};

export type EngineName = keyof typeof ENGINES;
export const ENGINE_NAMES = Object.keys(ENGINES) as readonly EngineName[];

export async function engines(settings: EngineSettings, bench: Bench): Promise<EngineFigures> {
  const measure = await ENGINES[settings.engine]();
  const { runs } = await measure(settings, bench);
  const compared = (figure: (round: EngineRound) => number): EngineFigures['throughput'] => ({
    ...ratioOf(
      runs.map(({ ours }) => figure(ours)),
      runs.map(({ own }) => figure(own)),
    ),
    ours: spreadOf(runs, ({ ours }) => figure(ours)),
    own: spreadOf(runs, ({ own }) => figure(own)),
  });
  return {
    throughput: compared(({ perSecond }) => perSecond),
    p95: compared(({ p95Ms }) => p95Ms),
    cpuShare: compared(({ cpuMicrosPerJob }) => cpuMicrosPerJob),
    runs,
  };
}

export function enginesTable({ throughput, p95, cpuShare }: EngineFigures): string {
  const row = (
    name: string,
    { ours, own, ratio }: EngineFigures['throughput'],
    format: (value: number) => string,
  ): string[] => [name, ...spreadCells(ours, format), ...spreadCells(own, format), formatRatio(ratio)];
  return table([
    ['', 'ours', 'min', 'max', 'own', 'min', 'max', 'ours / own'],
    row('tasks a second', throughput, formatRate),
    row('p95 ms', p95, formatMs),
    row('processor µs a task', cpuShare, formatRate),
  ]);
}
