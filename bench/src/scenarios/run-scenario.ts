import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { inFreshPlace } from '../open-site.ts';
import type { ScenarioSettings, WorkReport } from '../programs/scenario.ts';
import { type ProgramOptions, run } from '../runner.ts';
import type { Site } from '../site.ts';
import { round } from '../spread.ts';
import { type RunRecord, readRuns } from '../workloads/run-log.ts';
import { amounts, type Rates } from './calibration.ts';
import { figures, statistics } from './figures.ts';
import type { Scenario, ScenarioResult, ScenarioRun } from './scenario.ts';
import { verify } from './verify.ts';

export interface ScenarioContext extends Pick<Bench, 'workspace' | 'signal'> {
  readonly calibration: Rates;
  /** Null with `perform`. */
  readonly site: Site | null;
  /** Where the jobs are no store's. */
  readonly perform?: (
    settings: Omit<ScenarioSettings, 'url'>,
    options: ProgramOptions,
  ) => Promise<WorkReport>;
  /** Falsifies what is known of the first job, to prove that it is noticed. */
  readonly sabotage?: WorkSabotage | null;
}

export type WorkSabotage = 'lost' | 'repeated' | 'wrong';

/** One repeat: what was measured, what was wrong, or both. */
export interface Repeat {
  readonly run: ScenarioRun | null;
  readonly error: string | null;
  readonly elapsedSeconds: number;
}

/** Measures all repeats, up to the first that fails. What goes wrong is in the result; it rejects only when interrupted. */
export async function runScenario(scenario: Scenario, context: ScenarioContext): Promise<ScenarioResult> {
  const repeats: Repeat[] = [];
  for (let n = 0; n < scenario.repeats; n += 1) {
    repeats.push(await runRepeat(scenario, context));
    if (repeats.at(-1)?.error !== null) break;
  }
  return resultOf(scenario, repeats);
}

/** One repeat, in a process, on a store and with a folder of its own. */
export async function runRepeat(scenario: Scenario, context: ScenarioContext): Promise<Repeat> {
  const began = performance.now();
  const folder = mkdtempSync(join(context.workspace.folder, 'jobs-'));
  try {
    const measured = await measure(scenario, context, folder);
    return { ...measured, elapsedSeconds: secondsSince(began) };
  } catch (error) {
    context.signal.throwIfAborted();
    const jobsEnded = new Set(readRuns(folder).flatMap(({ type, n }) => (type === 'end' ? [n] : []))).size;
    const message = error instanceof Error ? error.message : String(error);
    return {
      run: null,
      error: `${message} By then ${jobsEnded} of ${scenario.jobs} jobs had ended.`,
      elapsedSeconds: secondsSince(began),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function resultOf(scenario: Scenario, repeats: readonly Repeat[]): ScenarioResult {
  const runs = repeats.flatMap(({ run }) => (run === null ? [] : [run]));
  const error = repeats.find((repeat) => repeat.error !== null)?.error ?? null;
  const whole = error === null && runs.length > 0;
  return {
    ...scenario,
    status: whole ? 'completed' : 'failed',
    error,
    elapsedSeconds: round(repeats.reduce((sum, { elapsedSeconds }) => sum + elapsedSeconds, 0)),
    expected: scenario.jobs,
    completed: runs.length < repeats.length ? 0 : Math.min(...runs.map(({ completed }) => completed)),
    totalSeconds: whole ? statistics(runs.map(({ totalSeconds }) => totalSeconds)) : null,
    jobsPerSecond: whole ? statistics(runs.map(({ jobsPerSecond }) => jobsPerSecond)) : null,
    runs,
  };
}

async function measure(
  scenario: Scenario,
  { site, perform = onStore(site), calibration, signal, sabotage = null }: ScenarioContext,
  folder: string,
): Promise<Pick<Repeat, 'run' | 'error'>> {
  const { strategy, workload, concurrency, jobTimeoutMs, timeoutSeconds } = scenario;
  const work = amounts(scenario, calibration);
  const told = await perform(
    { strategy, workload, amounts: work, concurrency, jobTimeoutMs, folder },
    { timeoutMs: timeoutSeconds * 1_000, signal, group: true },
  );
  const { report, records } = falsified(sabotage, told, readRuns(folder));
  const findings = { workload, amounts: work, jobTimeoutMs, report, records };
  const verdict = verify(findings);
  return { run: figures(findings, verdict), error: verdict.error };
}

function onStore(site: Site | null): NonNullable<ScenarioContext['perform']> {
  return (settings, options) =>
    inFreshPlace(site as Site, ({ url }) =>
      run<WorkReport>('scenario', { ...settings, url } satisfies ScenarioSettings, options),
    );
}

function falsified(
  sabotage: WorkSabotage | null,
  report: WorkReport,
  records: readonly RunRecord[],
): { readonly report: WorkReport; readonly records: readonly RunRecord[] } {
  const [first, ...others] = report.jobs;
  if (sabotage === null || first === undefined) return { report, records };
  const ofFirst = records.filter(({ n }) => n === 0);
  if (sabotage === 'repeated') return { report, records: [...records, ...ofFirst] };
  if (sabotage === 'wrong')
    return { report: { ...report, jobs: [{ ...first, result: -1 }, ...others] }, records };
  const jobs = [{ state: 'missing', result: null, error: null }, ...others];
  return { report: { ...report, jobs }, records: records.filter(({ n }) => n !== 0) };
}

function secondsSince(began: number): number {
  return round((performance.now() - began) / 1_000);
}
