import { type DurationSummary, Durations } from './histogram.ts';
import { type LanesSettings, runLane, type SitedBench, STRATEGIES, type Strategy } from './lane-run.ts';
import { computed, SEEDS } from './lane-tasks.ts';
import { CheckFailed } from './ledger.ts';
import { together } from './open-loop.ts';
import type { BareRun, BareSettings } from './programs/bare-cores.ts';
import { start } from './runner.ts';
import { type Spread, spread, spreadOf } from './spread.ts';

/**
 * Jobs that compute, in each lane: how much of the cores they get, and how long an inline job of the same process waits
 * meanwhile. One core is a plain process that does the same work one job after the other, with nothing else beside it,
 * half before and half after the lanes; the cores are as many such processes at once, which is what the machine can do.
 */
export interface CpuSettings extends LanesSettings {
  /** In each run of a lane; one core, and the inline lane, do their share of them. */
  readonly jobs: number;
  readonly iterations: number;
  readonly concurrency: number;
  /** Inline jobs a second. */
  readonly rate: number;
}

export interface CpuFigures {
  /** Jobs a second. */
  readonly oneCore: Spread;
  /** Plain processes at once. */
  readonly bareCores: Share;
  readonly lanes: Readonly<Record<Strategy, LaneCpu>>;
  readonly runs: readonly CpuRound[];
}

interface Share {
  readonly perSecond: Spread;
  /** Over one core's rate times the cores, of the same round. */
  readonly share: Spread;
}

interface LaneCpu extends Share {
  /** The same while inline jobs are sent. */
  readonly shareWhileTimed: Spread;
  /** Of these inline jobs, from the intended send time to the start of the handler, ms, of all rounds together. */
  readonly pickup: DurationSummary;
  /** Round by round. */
  readonly pickupP99: Spread;
}

interface CpuRound {
  readonly oneCore: number;
  readonly bareCores: number;
  readonly lanes: Readonly<Record<Strategy, LaneRates>>;
}

interface LaneRates {
  readonly perSecond: number;
  readonly perSecondWhileTimed: number;
  readonly pickupMs: readonly number[];
}

/** Steps of a round, for the progress. */
export const CPU_STEPS = 3 + 2 * STRATEGIES.length;

export async function measureCpu(settings: CpuSettings, bench: SitedBench, part: string): Promise<CpuRound> {
  const { hosts, jobs } = settings;
  const bare = (name: string, processes: number): Promise<number> =>
    bench.progress.step(`${name} ${part}`, () => bareRate(settings, bench.signal, processes));
  const before = await bare('one core, before', 1);
  const bareCores = await bare(`${hosts} plain processes`, hosts);
  const lanes: Partial<Record<Strategy, LaneRates>> = {};
  for (const strategy of STRATEGIES) {
    const expectedMs = (1_000 * jobs) / hosts / before;
    lanes[strategy] = await laneRates(settings, bench, { strategy, expectedMs, part });
  }
  const after = await bare('one core, after', 1);
  return { oneCore: (before + after) / 2, bareCores, lanes: lanes as CpuRound['lanes'] };
}

/** Jobs a second of so many plain processes at once. */
async function bareRate(
  { jobs, hosts, iterations }: CpuSettings,
  signal: AbortSignal,
  processes: number,
): Promise<number> {
  const each = Math.ceil(jobs / hosts);
  return together(signal, async (signal) => {
    const programs = Array.from({ length: processes }, () =>
      start<BareRun>('bare-cores', { jobs: each, iterations } satisfies BareSettings, {
        timeoutMs: TIMEOUT_MS,
        signal,
      }),
    );
    await Promise.all(programs.map((program) => program.heard('ready')));
    for (const program of programs) program.tell('go');
    const runs = await Promise.all(programs.map(({ result }) => result));
    for (const { results } of runs) requireResults(results, iterations);
    const began = Math.min(...runs.map(({ startedAtMs }) => startedAtMs));
    const ended = Math.max(...runs.map(({ endedAtMs }) => endedAtMs));
    return (1_000 * each * processes) / (ended - began);
  });
}

const TIMEOUT_MS = 600_000;

function requireResults(results: readonly number[], iterations: number): void {
  const right = Array.from({ length: SEEDS }, (_, seed) => computed(seed, iterations));
  const wrong = results.filter((result, n) => result !== right[n % SEEDS]).length;
  if (wrong > 0) throw new CheckFailed(`A plain process gave ${wrong} wrong results. No figures are given.`);
}

async function laneRates(
  settings: CpuSettings,
  bench: SitedBench,
  { strategy, expectedMs, part }: { strategy: Strategy; expectedMs: number; part: string },
): Promise<LaneRates> {
  const { hosts, iterations, concurrency, rate, sabotage } = settings;
  const jobs = strategy === 'async' ? Math.ceil(settings.jobs / hosts) : settings.jobs;
  const warmup = hosts * WARM_UP_EACH;
  const work = { task: 'compute', strategy, hosts, concurrency, jobs, iterations, warmup, sabotage } as const;
  const quiet = await bench.progress.step(`computing, ${strategy} ${part}`, () =>
    runLane(`computing, ${strategy}`, work, bench),
  );
  // They end before the jobs that compute do.
  const timed = Math.max(1, Math.floor((SENT_SHARE * rate * expectedMs) / 1_000));
  const name = `computing, ${strategy}, beside inline jobs`;
  const loaded = await bench.progress.step(`${name} ${part}`, () =>
    runLane(name, work, bench, { rate, jobs: timed }),
  );
  return {
    perSecond: quiet.process.perSecond,
    perSecondWhileTimed: loaded.process.perSecond,
    pickupMs: [...loaded.pickupMs],
  };
}

const SENT_SHARE = 0.8;
const WARM_UP_EACH = 4;

export function summarizeCpu({ hosts }: CpuSettings, runs: readonly CpuRound[]): CpuFigures {
  const share = (figure: (run: CpuRound) => number): Spread =>
    spreadOf(runs, (run) => figure(run) / (hosts * run.oneCore));
  const lane = (strategy: Strategy): LaneCpu => ({
    perSecond: spreadOf(runs, ({ lanes }) => lanes[strategy].perSecond),
    share: share(({ lanes }) => lanes[strategy].perSecond),
    shareWhileTimed: share(({ lanes }) => lanes[strategy].perSecondWhileTimed),
    pickup: new Durations(runs.flatMap(({ lanes }) => lanes[strategy].pickupMs)).summary(),
    pickupP99: spread(runs.map(({ lanes }) => new Durations(lanes[strategy].pickupMs).summary().p99)),
  });
  return {
    oneCore: spreadOf(runs, ({ oneCore }) => oneCore),
    bareCores: {
      perSecond: spreadOf(runs, ({ bareCores }) => bareCores),
      share: share(({ bareCores }) => bareCores),
    },
    lanes: { async: lane('async'), thread: lane('thread'), process: lane('process') },
    runs,
  };
}
