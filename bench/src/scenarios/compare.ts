import type { Strategy } from '../longshore.ts';
import { type Spread, spread } from '../spread.ts';
import type { ScenarioResult, ScenarioRun, WorkloadName } from './scenario.ts';

/** How the strategies did with one workload, in runs that took turns. */
export interface Comparison {
  readonly workload: WorkloadName;
  /** Of all strategies, by the median of its whole runs. */
  readonly fastest: Strategy;
  /** Null without `auto`, or with nothing else. */
  readonly autoToBest: AutoToBest | null;
}

/** Rate of `auto` over the rate of the best fixed strategy in the same round; the median of the rounds. */
export interface AutoToBest {
  readonly whole: RateRatio;
  /** From the moment when ten jobs had ended: by then `auto` has to know. Null where too few jobs are left (`jobsToKnow`). */
  readonly afterTen: RateRatio | null;
}

export interface RateRatio extends Spread {
  /** The best fixed strategy, by the median of its rates. */
  readonly best: Strategy;
}

/** Results of scenarios that differ in their strategy and workload only. */
export function compare(results: readonly ScenarioResult[]): Comparison[] {
  return [...Map.groupBy(results, ({ workload }) => workload)].map(([workload, those]) => ({
    workload,
    fastest: best(those, wholeRate).strategy,
    autoToBest: autoToBest(those),
  }));
}

const LEARNING = 10;

/**
 * How many jobs it takes to tell the rate after the first ten. Of those that end next, as many as run at once were
 * begun before, so a rate of a few alone would be that of their ends, not of the work: it would be several times too high.
 */
export function jobsToKnow({ concurrency }: Pick<ScenarioResult, 'concurrency'>): number {
  return LEARNING + 2 * concurrency;
}

function autoToBest(results: readonly ScenarioResult[]): AutoToBest | null {
  const auto = results.find(({ strategy }) => strategy === 'auto');
  const fixed = results.filter((result) => result !== auto);
  if (auto === undefined || fixed.length === 0) return null;
  const ratio = (rate: (run: ScenarioRun) => number): RateRatio => {
    const { strategy, runs } = best(fixed, rate);
    const ratios = auto.runs.map((run, round) => rate(run) / rate(runs[round] as ScenarioRun));
    return { best: strategy, ...spread(ratios) };
  };
  return { whole: ratio(wholeRate), afterTen: auto.jobs < jobsToKnow(auto) ? null : ratio(laterRate) };
}

function best(results: readonly ScenarioResult[], rate: (run: ScenarioRun) => number): ScenarioResult {
  const median = ({ runs }: ScenarioResult): number => spread(runs.map(rate)).median;
  return results.reduce((leader, result) => (median(result) > median(leader) ? result : leader));
}

function wholeRate({ jobsPerSecond }: ScenarioRun): number {
  return jobsPerSecond;
}

/** Jobs a second, of those that ended after the first ten. */
export function laterRate({ endedSeconds }: Pick<ScenarioRun, 'endedSeconds'>): number {
  const began = endedSeconds[LEARNING - 1] ?? Number.NaN;
  return (endedSeconds.length - LEARNING) / ((endedSeconds.at(-1) ?? Number.NaN) - began);
}
