import type { Bench, CommonSettings } from '../bench.ts';
import { CheckFailed } from '../ledger.ts';
import type { CamundaReport, CamundaSettings } from '../programs/camunda.ts';
import { recorded } from '../result.ts';
import { run } from '../runner.ts';
import { type Calibration, calibrate } from '../scenarios/calibration.ts';
import { type ModeSettings, scenariosOf } from '../scenarios/modes.ts';
import { type Repeat, resultOf, runRepeat } from '../scenarios/run-scenario.ts';
import type { Scenario, ScenarioResult } from '../scenarios/scenario.ts';
import { workTable } from './work.ts';

/**
 * The scenarios of `bench work` on a cluster of Camunda 8: a process instance with one service task for each job, one worker. What the
 * cluster refused is counted; a job that ended wrongly, or not at all, fails the measurement.
 */
export interface CamundaBenchSettings extends ModeSettings, CommonSettings {
  /** Null: CAMUNDA_REST_ADDRESS. */
  readonly url: string | null;
}

export interface CamundaFigures {
  readonly address: string;
  readonly calibration: Calibration;
  readonly results: readonly ScenarioResult[];
  /** Of all runs together. */
  readonly counts: {
    readonly redeliveries: number;
    readonly staleAcknowledgements: number;
    readonly lockLosses: number;
    readonly pollsLost: number;
  };
}

export async function camunda(settings: CamundaBenchSettings, bench: Bench): Promise<CamundaFigures> {
  const url = settings.url ?? process.env.CAMUNDA_REST_ADDRESS ?? '';
  if (url === '') throw new Error(NO_ADDRESS);
  const { progress } = bench;
  const scenarios = scenariosOf(settings);
  progress.start(1 + settings.repeat * scenarios.length);
  const calibration = await progress.step('calibration', () => calibrate(bench));
  const counted: CamundaReport['counts'][] = [];
  const repeats = new Map<Scenario, Repeat[]>(scenarios.map((scenario) => [scenario, []]));
  for (let round = 1; round <= settings.repeat; round += 1)
    for (const scenario of scenarios) {
      const step = `${scenario.name} ${round}/${settings.repeat}`;
      const waitMs = scenario.timeoutSeconds * 1_000;
      const perform: NonNullable<Parameters<typeof runRepeat>[1]['perform']> = async (work, options) => {
        const report = await run<CamundaReport>(
          'camunda',
          { ...work, url, waitMs } satisfies CamundaSettings,
          options,
        );
        counted.push(report.counts);
        return report;
      };
      const repeat = await progress.step(step, () =>
        runRepeat(scenario, { ...bench, calibration, site: null, perform }),
      );
      requireComplete(step, scenario, repeat);
      repeats.get(scenario)?.push(repeat);
    }
  const results = scenarios.map((scenario) => resultOf(scenario, repeats.get(scenario) ?? []));
  return { address: recorded({ url }).url, calibration, results, counts: sums(results, counted) };
}

const NO_ADDRESS =
  'No cluster is given. Use --url http://localhost:8080, or set CAMUNDA_REST_ADDRESS (and CAMUNDA_AUTH_STRATEGY with its credentials). ' +
  "Camunda's licence keeps it out of this package: start one as its guides say (Camunda 8 Run, Docker Compose or Helm), or take a cluster of its SaaS.";

/** A job may be delivered again, which is counted; but each has to end, with the right result. */
function requireComplete(step: string, { jobs }: Scenario, { run, error }: Repeat): void {
  if (run === null || run.completed < jobs)
    throw new CheckFailed(
      `${step}: ${(error ?? 'jobs are missing').replace(/\.$/, '')}. No figures are given.`,
    );
}

function sums(
  results: readonly ScenarioResult[],
  counted: readonly CamundaReport['counts'][],
): CamundaFigures['counts'] {
  const runs = results.flatMap((result) => result.runs);
  const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
  return {
    redeliveries: sum(runs.map(({ redeliveries }) => redeliveries)),
    staleAcknowledgements: sum(counted.map(({ stale }) => stale)),
    lockLosses: sum(counted.map(({ locksLost }) => locksLost)),
    pollsLost: sum(counted.map(({ pollsLost }) => pollsLost)),
  };
}

export function camundaTable({ address, results, counts }: CamundaFigures): string {
  const { redeliveries, staleAcknowledgements, lockLosses, pollsLost } = counts;
  return [
    workTable({ results, comparisons: [] }),
    `On ${address}: ${redeliveries} redeliveries, ${staleAcknowledgements} stale acknowledgements, ${lockLosses} lock losses, ${pollsLost} polls without an answer.`,
  ].join('\n');
}
