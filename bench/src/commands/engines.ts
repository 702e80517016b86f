import type { Bench } from '../bench.ts';
import type { EnginePair, EngineRound, EngineSettings, Measure } from '../engines/engine.ts';
import { type Ratio, ratioOf } from '../kit/ratio.ts';
import { type Spread, spreadOf } from '../spread.ts';
import { formatMs, formatRate, formatRatio, spreadCells, table } from '../table.ts';

export interface EngineFigures {
  /** `ratio`: ours over the engine's own worker. */
  readonly throughput: Ratio & { readonly ours: Spread; readonly own: Spread };
  readonly p95: Ratio & { readonly ours: Spread; readonly own: Spread };
  /** Processor time of a task, ours over the engine's own worker. */
  readonly cpuShare: Ratio & { readonly ours: Spread; readonly own: Spread };
  readonly runs: readonly EnginePair[];
}

/** By their names. */
const ENGINES: Readonly<Record<string, () => Promise<Measure>>> = {
  operaton: async () => (await import('../engines/operaton.ts')).measureOperaton,
};

export const ENGINE_NAMES = Object.keys(ENGINES);

export async function engines(settings: EngineSettings, bench: Bench): Promise<EngineFigures> {
  const measure = await ENGINES[settings.engine]?.();
  if (measure === undefined) throw new Error(`There is no engine ${settings.engine}.`);
  const runs = await measure(settings, bench);
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
