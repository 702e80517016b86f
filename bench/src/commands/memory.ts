import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Bench, CommonSettings } from '../bench.ts';
import { builtProgram } from '../built.ts';
import { requireExactlyOnce } from '../ledger.ts';
import { inFreshPlace, withSite } from '../open-site.ts';
import type { Memory, ResidentRun } from '../programs/resident.ts';
import { withoutSettings } from '../runner.ts';
import type { ServerRecord, Site, SiteSettings } from '../site.ts';
import { type Spread, spreadOf } from '../spread.ts';
import { spreadCells, table } from '../table.ts';

/**
 * What a bare worker (connected, started, idle) adds to the resident memory of Node itself. Empty process and worker
 * take turns, each fresh; the worker is that of the package as it is published.
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
  /** Of `addedMb`: the process's own, and pages of files, mostly of Node itself, which all processes share. Null where the system does not tell. */
  readonly addedAnonymousMb: number | null;
  readonly addedFileMb: number | null;
  readonly spread: Readonly<Record<string, Spread>>;
  readonly runs: readonly MemoryRun[];
  readonly checks: { readonly awake: true };
}

interface MemoryRun {
  readonly nodeMb: number;
  readonly workerMb: number;
  readonly addedAnonymousMb: number | null;
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
      const node = await measured<Memory>(settings, bench, `bare Node ${part}`, EMPTY);
      const worker = await inFreshPlace(site, ({ url }) =>
        measured<ResidentRun>(settings, bench, `worker ${part}`, [file, url]),
      );
      requireExactlyOnce('The job after the measurement', 1, worker.evidence);
      runs.push({
        nodeMb: megabytes(node.residentBytes),
        workerMb: megabytes(worker.residentBytes),
        addedAnonymousMb: addedAnonymousMb(node, worker),
      });
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
  const own = runs.every((run) => run.addedAnonymousMb !== null);
  const anonymous = own ? spreadOf(runs, (run) => run.addedAnonymousMb as number) : null;
  const file = own ? spreadOf(runs, (run) => fileMb(run)) : null;
  return {
    server,
    addedMb: addedMb.median,
    workerMb: workerMb.median,
    nodeMb: nodeMb.median,
    addedAnonymousMb: anonymous?.median ?? null,
    addedFileMb: file?.median ?? null,
    spread:
      anonymous === null || file === null ? spread : { ...spread, anonymousMb: anonymous, fileMb: file },
    runs,
    checks: { awake: true },
  };
}

/**
 * Node with nothing in it. No file: from the length of its path alone Node takes up to 2 MB more, since it compiles for
 * speed what looks at each character of it. Measures itself as programs/resident.ts does.
 */
const EMPTY = [
  '--input-type=module',
  '--eval',
  `await new Promise((resolve) => setTimeout(resolve, Number(process.argv[1])));
   const residentBytes = process.memoryUsage.rss();
   const { readFileSync, writeSync } = process.getBuiltinModule('node:fs');
   const status = process.platform === 'linux' ? readFileSync('/proc/self/status', 'utf8') : null;
   writeSync(1, JSON.stringify({ residentBytes, status }));`,
];

function measured<Result>(
  { settle }: MemorySettings,
  { progress, signal }: Bench,
  step: string,
  program: readonly string[],
): Promise<Result> {
  const timeout = settle * 1_000 + 60_000;
  // As a user's process: no cache of compiled code, as this one has.
  const { NODE_COMPILE_CACHE: _cache, NODE_OPTIONS: _options, ...env } = withoutSettings(process.env);
  return progress.step(step, async () => {
    const options = { signal, timeout, killSignal: 'SIGKILL', env } as const;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...program, String(settle * 1_000)],
      options,
    );
    return JSON.parse(stdout) as Result;
  });
}

function addedAnonymousMb(node: Memory, worker: Memory): number | null {
  const [before, after] = [anonymousBytes(node), anonymousBytes(worker)];
  return before === null || after === null ? null : megabytes(after - before);
}

/** What lies in no file: heaps and stacks. */
function anonymousBytes({ status }: Memory): number | null {
  const kib = /^RssAnon:\s+(\d+)/m.exec(status ?? '')?.[1];
  return kib === undefined ? null : Number(kib) * 1_024;
}

function fileMb({ workerMb, nodeMb, addedAnonymousMb }: MemoryRun): number {
  return Math.round((workerMb - nodeMb - (addedAnonymousMb ?? 0)) * 10) / 10;
}

/** MB of 2^20 bytes. */
function megabytes(bytes: number): number {
  return Math.round((bytes / 2 ** 20) * 10) / 10;
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
    ...(spread.anonymousMb === undefined
      ? []
      : [row('  of its own', 'anonymousMb'), row('  pages of files', 'fileMb')]),
  ]);
}
