import type { Bench } from '../bench.ts';
import { CheckFailed } from '../ledger.ts';
import { withSite } from '../open-site.ts';
import { type Calibration, calibrate } from '../scenarios/calibration.ts';
import { type Comparison, compare, jobsToKnow } from '../scenarios/compare.ts';
import { type ModeSettings, scenariosOf } from '../scenarios/modes.ts';
import { type Repeat, resultOf, runRepeat, type WorkSabotage } from '../scenarios/run-scenario.ts';
import type { Percentiles, Scenario, ScenarioResult, ScenarioRun } from '../scenarios/scenario.ts';
import type { ServerRecord, SiteSettings } from '../site.ts';
import { spreadOf } from '../spread.ts';
import { formatMs, table } from '../table.ts';

/**
 * Jobs that do real work, in each lane: how long they take, wait, and what that takes of the machine. The scenarios of a
 * mode take turns (A B A B), each repeat in a process and on a store of its own.
 */
export interface WorkSettings extends ModeSettings, SiteSettings {
  readonly sabotage: WorkSabotage | null;
}

export interface WorkFigures {
  readonly server: ServerRecord | null;
  readonly calibration: Calibration;
  readonly results: readonly ScenarioResult[];
  /** By workload; empty where one strategy was measured. */
  readonly comparisons: readonly Comparison[];
  readonly checks: {
    readonly executedOnce: true;
    readonly completedInStore: true;
    readonly rightResults: true;
  };
}

export function work(settings: WorkSettings, bench: Bench): Promise<WorkFigures> {
  return withSite(settings, bench, async (site) => {
    const { progress } = bench;
    const scenarios = scenariosOf(settings);
    const rounds = settings.repeat;
    progress.start(1 + rounds * scenarios.length);
    const calibration = await progress.step('calibration', () => calibrate(bench));
    const context = { ...bench, calibration, site, sabotage: settings.sabotage };
    const repeats = new Map<Scenario, Repeat[]>(scenarios.map((scenario) => [scenario, []]));
    for (let round = 1; round <= rounds; round += 1) {
      for (const scenario of scenarios) {
        const step = `${scenario.name} ${round}/${rounds}`;
        const repeat = await progress.step(step, () => runRepeat(scenario, context));
        requireSound(step, repeat);
        repeats.get(scenario)?.push(repeat);
      }
    }
    const results = scenarios.map((scenario) => resultOf(scenario, repeats.get(scenario) ?? []));
    return {
      server: site.server,
      calibration,
      results,
      comparisons: compare(results).filter(({ autoToBest }) => autoToBest !== null),
      checks: { executedOnce: true, completedInStore: true, rightResults: true },
    };
  });
}

/** Fails as a whole: figures of a run in which a job went missing are none. */
function requireSound(step: string, { error }: Repeat): void {
  if (error !== null) throw new CheckFailed(`${step}: ${error.replace(/\.$/, '')}. No figures are given.`);
}

export function workTable({ results, comparisons }: Pick<WorkFigures, 'results' | 'comparisons'>): string {
  const rows = results.map((result) => [result.name, ...cells(result)]);
  const enough = Math.max(...results.map(jobsToKnow));
  const sentences = comparisons.map((comparison) => sentence(comparison, enough));
  return [table([HEAD, ...rows]), LEGEND, ...sentences].join('\n');
}

const HEAD = [
  ...['', 'jobs/s', 'mean', 'min', 'max', 'total s', 'wait p50, ms', 'p99', 'loop delay p99, ms', 'max'],
  ...['cpu s', 'MB', '+ children', 'lanes'],
];
const LEGEND = [
  'Medians of the runs, lanes of the last. Wait: from the start of the worker to that of the handler.',
  'Loop delay: of the worker. ~: fewer than ten samples beyond it. MB: at most, worker and, together, its children.',
].join('\n');

function cells({ jobsPerSecond, totalSeconds, runs }: ScenarioResult): string[] {
  if (jobsPerSecond === null || totalSeconds === null) return [];
  const median = (figure: (run: ScenarioRun) => number): number => spreadOf(runs, figure).median;
  const percentile = (name: 'p50' | 'p99', figure: (run: ScenarioRun) => Percentiles): string => {
    const weak = runs.some((run) => figure(run).weak.includes(name));
    return `${weak ? '~' : ''}${formatMs(median((run) => figure(run)[name]))}`;
  };
  const { average, min, max } = jobsPerSecond;
  return [
    ...[jobsPerSecond.median, average, min, max, totalSeconds.median].map(threeDigits),
    percentile('p50', ({ waitMs }) => waitMs),
    percentile('p99', ({ waitMs }) => waitMs),
    percentile('p99', ({ eventLoopDelayMs }) => eventLoopDelayMs),
    formatMs(median(({ eventLoopDelayMs }) => eventLoopDelayMs.max)),
    threeDigits(median(({ cpuSeconds }) => cpuSeconds)),
    median(({ memoryMb }) => memoryMb.peak).toFixed(0),
    median(({ memoryMb }) => memoryMb.childrenPeak).toFixed(0),
    Object.entries(runs.at(-1)?.lanes ?? {})
      .map(([lane, jobs]) => `${lane} ${jobs}`)
      .join(', '),
  ];
}

function sentence({ workload, fastest, autoToBest }: Comparison, enough: number): string {
  if (autoToBest === null) return '';
  const { whole, afterTen } = autoToBest;
  const ratio = ({ best, median, min, max }: typeof whole): string =>
    `${median.toFixed(2)} of the rate of ${best}${min < max ? ` (${min.toFixed(2)} to ${max.toFixed(2)})` : ''}`;
  const later = afterTen === null ? `that takes ${enough} jobs to tell` : ratio(afterTen);
  return `${workload}: ${fastest} is fastest; auto has ${ratio(whole)}; after ten jobs: ${later}`;
}

function threeDigits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
