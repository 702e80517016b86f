import type { Bench, CommonSettings } from '../bench.ts';
import { requireExactlyOnce, type Sabotage } from '../ledger.ts';
import type { IdleRun, IdleSettings as ProgramSettings } from '../programs/idle.ts';
import { run } from '../runner.ts';
import { type Spread, spreadOf } from '../spread.ts';
import { spreadCells, table } from '../table.ts';

/** What a worker costs that has nothing to do: its share of one core, all threads together. */
export interface IdleSettings extends CommonSettings {
  readonly store: 'memory' | 'sqlite';
  readonly seconds: number;
  readonly sabotage: Sabotage | null;
}

export interface IdleFigures {
  readonly cpuPercentOfOneCore: number;
  readonly wakeUpsPerSecond: number;
  readonly spread: Readonly<Record<string, Spread>>;
  readonly runs: readonly IdleRun[];
  readonly checks: { readonly awake: true };
}

export async function idle(
  { store, seconds, sabotage, repeat }: IdleSettings,
  bench: Bench,
): Promise<IdleFigures> {
  const { workspace, progress, signal } = bench;
  const runs: IdleRun[] = [];
  progress.start(repeat);
  for (let n = 1; n <= repeat; n += 1) {
    const file = workspace.freshFile();
    const settings: ProgramSettings = {
      url: store === 'memory' ? 'memory:' : `sqlite:${file}`,
      seconds,
      sabotage,
    };
    const idled = await progress.step(`idle worker ${n}/${repeat}`, () =>
      run<IdleRun>('idle', settings, { timeoutMs: seconds * 1_000 + 60_000, signal }),
    );
    workspace.drop(file);
    requireExactlyOnce('The job after the idle time', 1, idled);
    runs.push(idled);
  }
  const spread = {
    cpuPercentOfOneCore: spreadOf(runs, ({ cpuMs, wallMs }) => (100 * cpuMs) / wallMs),
    wakeUpsPerSecond: spreadOf(runs, ({ wakeUps, wallMs }) => (1_000 * wakeUps) / wallMs),
  };
  return {
    cpuPercentOfOneCore: spread.cpuPercentOfOneCore.median,
    wakeUpsPerSecond: spread.wakeUpsPerSecond.median,
    spread,
    runs,
    checks: { awake: true },
  };
}

export function idleTable({ spread }: IdleFigures): string {
  const cells = (name: string): string[] => spreadCells(spread[name], (value) => value.toFixed(2));
  return table([
    ['', 'median', 'min', 'max'],
    ['processor, % of one core', ...cells('cpuPercentOfOneCore')],
    ['wake-ups a second', ...cells('wakeUpsPerSecond')],
  ]);
}
