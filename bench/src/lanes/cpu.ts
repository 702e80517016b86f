import { type DurationSummary, Durations } from '../histogram.ts';
import { CheckFailed } from '../ledger.ts';
import type { BareRun, BareSettings } from '../programs/bare-cores.ts';
import type { LaneRun } from '../programs/lanes.ts';
import { start } from '../runner.ts';
import { type Spread, spread, spreadOf } from '../spread.ts';
import { together } from '../together.ts';
import { computedAfter, seedOf } from '../workloads/computation.ts';
import {
  type LanesSettings,
  type LaneWork,
  runLane,
  type SitedBench,
  STRATEGIES,
  type Strategy,
  type TimedLoad,
} from './run.ts';

/**
 * Jobs that compute, in each lane: how much of the cores they get, and how long an inline job of the same process waits
 * meanwhile. One core is a plain process that does the same work one job after the other, with nothing else beside it;
 * the cores are as many such processes at once, which is what the machine can do. One core is measured between any two of
 * the others, and each is compared with what came just before and just after it: a machine's speed drifts.
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
  /** Jobs a second; the mean of each round. */
  readonly oneCore: Spread;
  /** Plain processes at once. */
  readonly bareCores: Share;
  readonly lanes: Readonly<Record<Strategy, LaneCpu>>;
  readonly runs: readonly CpuRound[];
}

interface Share {
  readonly perSecond: Spread;
  /** Over one core's rate times the cores, as measured just before and just after. */
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
  /** In the order in which they were measured: one between any two of the others. */
  readonly oneCore: readonly number[];
  readonly bareCores: Rate;
  readonly lanes: Readonly<Record<Strategy, LaneRates>>;
}

interface Rate {
  readonly perSecond: number;
  /** Mean of just before and just after, jobs a second. */
  readonly oneCore: number;
}

interface LaneRates {
  readonly quiet: Rate;
  readonly timed: Rate;
  readonly pickupMs: readonly number[];
}

/** Steps of a round, for the progress: each of the others has one core behind it, and the first one before it, too. */
export const CPU_STEPS = 1 + 2 * (1 + 2 * STRATEGIES.length);

export async function measureCpu(settings: CpuSettings, bench: SitedBench, part: string): Promise<CpuRound> {
  const { hosts, jobs } = settings;
  const bare = (name: string, processes: number): Promise<number> =>
    bench.progress.step(`${name} ${part}`, () => bareRate(settings, bench.signal, processes));
  const oneCore = [await bare('one core', 1)];
  const between = async (rate: Promise<number>): Promise<Rate> => {
    const before = oneCore.at(-1) as number;
    const perSecond = await rate;
    const after = await bare('one core', 1);
    oneCore.push(after);
    return { perSecond, oneCore: (before + after) / 2 };
  };
  const bareCores = await between(bare(`${hosts} plain processes`, hosts));
  const lanes: Partial<Record<Strategy, LaneRates>> = {};
  for (const strategy of STRATEGIES) {
    const work = laneWork(settings, strategy);
    const name = `computing, ${strategy}`;
    const run = (what: string, load?: TimedLoad): Promise<LaneRun> =>
      bench.progress.step(`${what} ${part}`, () => runLane(what, work, bench, load));
    const quiet = await between(run(name).then(({ process }) => process.perSecond));
    // The inline jobs end before the jobs that compute do.
    const expectedSeconds = jobs / hosts / quiet.oneCore;
    const load = {
      rate: settings.rate,
      jobs: Math.max(1, Math.floor(SENT_SHARE * settings.rate * expectedSeconds)),
    };
    const pickupMs: number[] = [];
    const timed = await between(
      run(`${name}, beside inline jobs`, load).then((ran) => {
        pickupMs.push(...ran.pickupMs);
        return ran.process.perSecond;
      }),
    );
    lanes[strategy] = { quiet, timed, pickupMs };
  }
  return { oneCore, bareCores, lanes: lanes as CpuRound['lanes'] };
}

const SENT_SHARE = 0.8;

/** An inline lane has one core: it does its share of the jobs. */
function laneWork(
  { jobs, hosts, iterations, concurrency, sabotage }: CpuSettings,
  strategy: Strategy,
): LaneWork {
  return {
    task: 'compute',
    strategy,
    hosts,
    concurrency,
    jobs: strategy === 'async' ? Math.ceil(jobs / hosts) : jobs,
    iterations,
    warmup: hosts * WARM_UP_EACH,
    shortWarmup: SHORT_WARM_UP,
    sabotage,
  };
}

const WARM_UP_EACH = 4;
const SHORT_WARM_UP = 5_000;

/** Jobs a second of so many plain processes at once. */
export async function bareRate(
  { jobs, hosts, iterations }: Pick<CpuSettings, 'jobs' | 'hosts' | 'iterations'>,
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
  const wrong = results.filter((result, n) => result !== computedAfter(seedOf(n), iterations)).length;
  if (wrong > 0) throw new CheckFailed(`A plain process gave ${wrong} wrong results. No figures are given.`);
}

export function summarizeCpu({ hosts }: CpuSettings, runs: readonly CpuRound[]): CpuFigures {
  const share = (rateOf: (run: CpuRound) => Rate): Spread =>
    spreadOf(runs, (run) => {
      const { perSecond, oneCore } = rateOf(run);
      return perSecond / (hosts * oneCore);
    });
  const lane = (strategy: Strategy): LaneCpu => ({
    perSecond: spreadOf(runs, ({ lanes }) => lanes[strategy].quiet.perSecond),
    share: share(({ lanes }) => lanes[strategy].quiet),
    shareWhileTimed: share(({ lanes }) => lanes[strategy].timed),
    pickup: new Durations(runs.flatMap(({ lanes }) => lanes[strategy].pickupMs)).summary(),
    pickupP99: spread(runs.map(({ lanes }) => new Durations(lanes[strategy].pickupMs).summary().p99)),
  });
  return {
    oneCore: spreadOf(runs, ({ oneCore }) => oneCore.reduce((sum, rate) => sum + rate) / oneCore.length),
    bareCores: {
      perSecond: spreadOf(runs, ({ bareCores }) => bareCores.perSecond),
      share: share(({ bareCores }) => bareCores),
    },
    lanes: { async: lane('async'), thread: lane('thread'), process: lane('process') },
    runs,
  };
}
