import type { Bench, CommonSettings } from '../bench.ts';
import { CheckFailed, Ledger, requireExactlyOnce, type Sabotage } from '../ledger.ts';
import { together } from '../open-loop.ts';
import { inFreshPlace, withSite } from '../open-site.ts';
import type { FillRun, FillSettings } from '../programs/fill.ts';
import type { FleetWorkerRun, FleetWorkerSettings } from '../programs/fleet-worker.ts';
import { type Program, run, start } from '../runner.ts';
import type { Place, ServerRecord, Site, SiteSettings } from '../site.ts';
import { round, type Spread, spread, spreadOf } from '../spread.ts';
import { formatRate, formatRatio, spreadCells, table } from '../table.ts';

/** How fast several worker processes together empty one filled queue, and whether each job still runs exactly once. */
export interface FleetSettings extends CommonSettings, SiteSettings {
  readonly jobs: number;
  /** Numbers of processes, each measured. */
  readonly processes: readonly number[];
  readonly payload: number;
  readonly concurrency: number;
  readonly batch: number;
  /** Jobs that each process sends and runs before the clock starts. */
  readonly warmup: number;
  readonly sabotage: Sabotage | null;
}

export interface FleetFigures {
  readonly server: ServerRecord | null;
  readonly fleets: readonly FleetSummary[];
  readonly runs: readonly (readonly FleetRun[])[];
  readonly checks: {
    readonly executedOnce: true;
    readonly completedInStore: true;
    readonly noDeadlocks: true;
  };
}

interface FleetSummary {
  readonly processes: number;
  readonly processPerSecond: Spread;
  /** Over the rate of the first number of processes, round by round. */
  readonly ratioToFirst: Spread;
}

interface FleetRun {
  readonly processes: number;
  readonly perSecond: number;
  readonly ms: number;
  /** Jobs completed by each process. */
  readonly shares: readonly number[];
  readonly cpuMicrosPerJob: number;
}

export function fleet(settings: FleetSettings, bench: Bench): Promise<FleetFigures> {
  if (settings.store === 'memory') throw new Error('the memory store lives in one process');
  return withSite(settings, bench, async (site) => {
    const { repeat, processes } = settings;
    const runs: FleetRun[][] = [];
    bench.progress.start(repeat * processes.length);
    for (let n = 1; n <= repeat; n += 1) {
      const row: FleetRun[] = [];
      for (const count of processes)
        row.push(
          await bench.progress.step(`${count} processes ${n}/${repeat}`, () =>
            measure(settings, count, site, bench.signal),
          ),
        );
      runs.push(row);
    }
    const checks = { executedOnce: true, completedInStore: true, noDeadlocks: true } as const;
    return { server: site.server, fleets: summarize(processes, runs), runs, checks };
  });
}

function measure(
  settings: FleetSettings,
  processes: number,
  site: Site,
  signal: AbortSignal,
): Promise<FleetRun> {
  const { jobs, payload, batch } = settings;
  return inFreshPlace(site, async (place) => {
    const options = { timeoutMs: 60_000 + jobs * MS_PER_JOB_MAX, signal };
    await run<FillRun>('fill', { url: place.url, jobs, payload, batch } satisfies FillSettings, options);
    const deadlocksBefore = await site.deadlocks();
    const workers = await together(signal, (linked) => work(settings, processes, place, linked));
    const counts = await run<Record<string, number>>('count', { url: place.url }, options);
    const ledger = new Ledger(jobs, settings.sabotage);
    for (const { runs, strangers } of workers) ledger.add(runs, strangers);
    requireExactlyOnce(`${processes} processes`, jobs, { ledger: ledger.report(), counts });
    const deadlocks = (await site.deadlocks()) - deadlocksBefore;
    if (deadlocks > 0) throw new CheckFailed(`${deadlocks} deadlocks happened. No figures are given.`);
    return toRun(processes, jobs, workers);
  });
}

/** Slower than this means stuck. */
const MS_PER_JOB_MAX = 2;
const STALL_MS = 15_000;

async function work(
  { jobs, payload, concurrency, batch, warmup }: FleetSettings,
  processes: number,
  { url }: Place,
  signal: AbortSignal,
): Promise<FleetWorkerRun[]> {
  const common = { url, jobs, payload, concurrency, batch, warmup };
  const options = { timeoutMs: 120_000 + jobs * MS_PER_JOB_MAX, signal };
  const programs = Array.from({ length: processes }, (_, index) =>
    start<FleetWorkerRun>('fleet-worker', { ...common, index } satisfies FleetWorkerSettings, options),
  );
  await Promise.all(programs.map((program) => program.heard('ready')));
  for (const program of programs) program.tell('go');
  await allCompleted(programs, jobs);
  for (const program of programs) program.tell('stop');
  return Promise.all(programs.map(({ result }) => result));
}

/** Resolves when the processes have completed all jobs, or none for so long that jobs are missing. */
function allCompleted(programs: readonly Program<FleetWorkerRun>[], jobs: number): Promise<void> {
  const completed = programs.map(() => 0);
  let total = 0;
  let changedAt = performance.now();
  return new Promise((resolve, reject) => {
    let over = false;
    const end = (): void => {
      over = true;
      resolve();
    };
    const follow = async (program: Program<FleetWorkerRun>, index: number): Promise<void> => {
      while (!over) {
        completed[index] = (await program.heard('completed')) as number;
        const sum = completed.reduce((one, other) => one + other, 0);
        if (sum !== total) changedAt = performance.now();
        total = sum;
        if (total >= jobs || performance.now() - changedAt > STALL_MS) end();
      }
    };
    for (const [index, program] of programs.entries()) follow(program, index).catch(reject);
  });
}

function toRun(processes: number, jobs: number, workers: readonly FleetWorkerRun[]): FleetRun {
  const from = Math.min(...workers.map(({ startedAtMs }) => startedAtMs));
  const to = Math.max(...workers.map(({ lastAtMs }) => lastAtMs));
  const cpuMs = workers.reduce((sum, worker) => sum + worker.cpuMs, 0);
  return {
    processes,
    perSecond: Math.round((jobs / (to - from)) * 1_000),
    ms: Math.round(to - from),
    shares: workers.map(({ completed }) => completed),
    cpuMicrosPerJob: round((cpuMs * 1_000) / jobs),
  };
}

function summarize(processes: readonly number[], runs: readonly (readonly FleetRun[])[]): FleetSummary[] {
  const at = (row: readonly FleetRun[], index: number): number => row[index]?.perSecond ?? Number.NaN;
  return processes.map((count, index) => ({
    processes: count,
    processPerSecond: spreadOf(runs, (row) => at(row, index)),
    ratioToFirst: spread(runs.map((row) => round(at(row, index) / at(row, 0)))),
  }));
}

export function fleetTable({ fleets, runs }: FleetFigures): string {
  const rows = [['processes', 'jobs/s', 'min', 'max', 'ratio', 'min', 'max', 'largest share']];
  for (const [index, { processes, processPerSecond, ratioToFirst }] of fleets.entries()) {
    const { shares = [] } = runs[0]?.[index] ?? {};
    const total = shares.reduce((sum, share) => sum + share, 0);
    const largest = `${Math.round((100 * Math.max(...shares)) / total)} %`;
    rows.push([
      String(processes),
      ...spreadCells(processPerSecond, formatRate),
      ...spreadCells(ratioToFirst, formatRatio),
      largest,
    ]);
  }
  return table(rows);
}
