import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Bench, CommonSettings } from '../bench.ts';
import { builtProgram } from '../built.ts';
import { requireExactlyOnce } from '../ledger.ts';
import { inFreshPlace, withSite } from '../open-site.ts';
import type { ResidentRun } from '../programs/resident.ts';
import type { ServerRecord, Site, SiteSettings } from '../site.ts';
import { type Spread, spreadOf } from '../spread.ts';
import { spreadCells, table } from '../table.ts';

/**
 * What a bare worker (connected, started, idle) adds to the resident memory of Node itself. Empty process and worker
 * take turns, each fresh; both run compiled code.
 */
export interface MemorySettings extends CommonSettings, SiteSettings {
  /** Seconds between the start and the look. */
  readonly settle: number;
}

export interface MemoryFigures {
  readonly server: ServerRecord | null;
  readonly addedMb: number;
  readonly workerMb: number;
  readonly nodeMb: number;
  readonly spread: Readonly<Record<string, Spread>>;
  readonly runs: readonly MemoryRun[];
  readonly checks: { readonly awake: true };
}

interface MemoryRun {
  readonly nodeMb: number;
  readonly workerMb: number;
}

export function memory(settings: MemorySettings, bench: Bench): Promise<MemoryFigures> {
  return withSite(settings, bench, async (site) => {
    const { progress, workspace } = bench;
    const { repeat } = settings;
    progress.start(1 + 2 * repeat);
    const file = await progress.step('build', () => builtProgram('resident', workspace.folder));
    const runs: MemoryRun[] = [];
    for (let n = 1; n <= repeat; n += 1) {
      const part = `${n}/${repeat}`;
      const node = await resident(settings, bench, { step: `bare Node ${part}`, file, url: null });
      const worker = await inFreshPlace(site, ({ url }) =>
        resident(settings, bench, { step: `worker ${part}`, file, url }),
      );
      if (worker.evidence !== null) requireExactlyOnce('The job after the measurement', 1, worker.evidence);
      runs.push({ nodeMb: megabytes(node), workerMb: megabytes(worker) });
    }
    return summarize(site, runs);
  });
}

function summarize({ server }: Site, runs: readonly MemoryRun[]): MemoryFigures {
  const spread = {
    addedMb: spreadOf(runs, ({ nodeMb, workerMb }) => workerMb - nodeMb),
    workerMb: spreadOf(runs, ({ workerMb }) => workerMb),
    nodeMb: spreadOf(runs, ({ nodeMb }) => nodeMb),
  };
  const { addedMb, workerMb, nodeMb } = spread;
  return {
    server,
    addedMb: addedMb.median,
    workerMb: workerMb.median,
    nodeMb: nodeMb.median,
    spread,
    runs,
    checks: { awake: true },
  };
}

function resident(
  { settle }: MemorySettings,
  { progress, signal }: Bench,
  { step, file, url }: { readonly step: string; readonly file: string; readonly url: string | null },
): Promise<ResidentRun> {
  const args = [...process.execArgv, file, url ?? '-', String(settle * 1_000)];
  const options = { signal, timeout: settle * 1_000 + 60_000, killSignal: 'SIGKILL' } as const;
  return progress.step(step, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, args, options);
    return JSON.parse(stdout) as ResidentRun;
  });
}

/** MB of 2^20 bytes. */
function megabytes({ residentBytes }: ResidentRun): number {
  return Math.round((residentBytes / 2 ** 20) * 10) / 10;
}

export function memoryTable({ spread }: MemoryFigures): string {
  const row = (label: string, name: string): string[] => [
    label,
    ...spreadCells(spread[name], (value) => value.toFixed(1)),
  ];
  return table([
    ['MB', 'median', 'min', 'max'],
    row('bare Node', 'nodeMb'),
    row('with an idle worker', 'workerMb'),
    row('added', 'addedMb'),
  ]);
}
