import type { Bench, CommonSettings } from '../bench.ts';
import { requireExactlyOnce, type Sabotage } from '../ledger.ts';
import { inFreshPlace, withSite } from '../open-site.ts';
import type { IdleRun, IdleSettings as ProgramSettings } from '../programs/idle.ts';
import { run } from '../runner.ts';
import type { ServerRecord, Site, SiteSettings } from '../site.ts';
import { type Spread, spreadOf } from '../spread.ts';
import { spreadCells, table } from '../table.ts';

/** What a worker costs that has nothing to do: its share of one core, all threads together. */
export interface IdleSettings extends CommonSettings, SiteSettings {
  readonly seconds: number;
  readonly sabotage: Sabotage | null;
}

export interface IdleFigures {
  readonly server: ServerRecord | null;
  readonly cpuPercentOfOneCore: number;
  readonly wakeUpsPerSecond: number;
  readonly spread: Readonly<Record<string, Spread>>;
  readonly runs: readonly IdleRun[];
  readonly checks: { readonly awake: true };
}

export function idle(settings: IdleSettings, bench: Bench): Promise<IdleFigures> {
  return withSite(settings, bench, async (site) => {
    const { seconds, sabotage, repeat } = settings;
    const { progress, signal } = bench;
    const runs: IdleRun[] = [];
    progress.start(repeat);
    for (let n = 1; n <= repeat; n += 1) {
      const idled = await progress.step(`idle worker ${n}/${repeat}`, () =>
        inFreshPlace(site, ({ url }) =>
          run<IdleRun>('idle', { url, seconds, sabotage } satisfies ProgramSettings, {
            timeoutMs: seconds * 1_000 + 60_000,
            signal,
          }),
        ),
      );
      requireExactlyOnce('The job after the idle time', 1, idled);
      runs.push(idled);
    }
    return summarize(site, runs);
  });
}

function summarize({ server }: Site, runs: readonly IdleRun[]): IdleFigures {
  const spread = {
    cpuPercentOfOneCore: spreadOf(runs, ({ cpuMs, wallMs }) => (100 * cpuMs) / wallMs),
    wakeUpsPerSecond: spreadOf(runs, ({ wakeUps, wallMs }) => (1_000 * wakeUps) / wallMs),
  };
  return {
    server,
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
