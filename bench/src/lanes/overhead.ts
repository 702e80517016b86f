import { type Spread, spread, spreadOf } from '../spread.ts';
import { type LanesSettings, runLane, type SitedBench, STRATEGIES, type Strategy } from './run.ts';

/** What a job that does nothing costs in each lane, through the whole worker and its store, and how much of that is the lane. */
export interface OverheadSettings extends LanesSettings {
  readonly noopJobs: number;
  readonly noopConcurrency: number;
}

export interface OverheadFigures {
  /** Elapsed time of the run over its jobs, µs. */
  readonly microsPerJob: Readonly<Record<Strategy, Spread>>;
  /** Less the inline lane's of the same round. */
  readonly overInline: Readonly<Record<'thread' | 'process', Spread>>;
  readonly runs: readonly OverheadRound[];
}

type OverheadRound = Readonly<Record<Strategy, number>>;

export const OVERHEAD_STEPS = STRATEGIES.length;

export async function measureOverhead(
  { noopJobs, noopConcurrency, hosts, sabotage }: OverheadSettings,
  bench: SitedBench,
  part: string,
): Promise<OverheadRound> {
  const round: Partial<Record<Strategy, number>> = {};
  for (const strategy of STRATEGIES) {
    const { process } = await bench.progress.step(`no-op jobs, ${strategy} ${part}`, () =>
      runLane(
        `no-op jobs, ${strategy}`,
        {
          task: 'noop',
          strategy,
          hosts,
          concurrency: noopConcurrency,
          jobs: noopJobs,
          iterations: 0,
          warmup: Math.ceil(noopJobs / 4),
          shortWarmup: 0,
          sabotage,
        },
        bench,
      ),
    );
    round[strategy] = (1_000 * process.ms) / noopJobs;
  }
  return round as OverheadRound;
}

export function summarizeOverhead(runs: readonly OverheadRound[]): OverheadFigures {
  const micros = (strategy: Strategy): Spread => spreadOf(runs, (run) => run[strategy]);
  const over = (strategy: Strategy): Spread => spread(runs.map((run) => run[strategy] - run.async));
  return {
    microsPerJob: { async: micros('async'), thread: micros('thread'), process: micros('process') },
    overInline: { thread: over('thread'), process: over('process') },
    runs,
  };
}
