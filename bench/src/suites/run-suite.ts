import type { Scenario, ScenarioResult } from '../scenarios/scenario.ts';
import { round } from '../spread.ts';
import type { SuiteState } from './suite-document.ts';

export interface SuiteRun<Kept> {
  readonly scenarios: readonly Scenario[];
  /** Run the others although one failed. */
  readonly continueOnError: boolean;
  /** Ends the run. */
  readonly signal: AbortSignal;
  readonly measure: (scenario: Scenario, before: SoFar) => Promise<ScenarioResult>;
  /** At the start, after each scenario and at the end; what this does not keep is lost with the process. */
  readonly keep: (soFar: SoFar) => Kept;
}

export interface SoFar {
  readonly state: SuiteState;
  readonly results: readonly ScenarioResult[];
  /** Since the start of the first scenario, s. */
  readonly elapsedSeconds: number;
}

/**
 * Runs scenarios one after another and keeps what was measured after each. A scenario that fails, also one that could not
 * be measured at all, is a result; an interruption is none, and rejects. Resolves to what was kept last.
 */
export async function runSuite<Kept>(run: SuiteRun<Kept>): Promise<Kept> {
  const began = performance.now();
  const results: ScenarioResult[] = [];
  const soFar = (state: SuiteState): SoFar => ({ state, results, elapsedSeconds: secondsSince(began) });
  for (const scenario of run.scenarios) {
    const before = soFar('running');
    run.keep(before);
    const result = await measured(run, scenario, before);
    if (result === null) {
      run.keep(soFar('interrupted'));
      throw run.signal.reason;
    }
    results.push(result);
    if (result.status === 'failed' && !run.continueOnError) break;
  }
  return run.keep(soFar(results.length < run.scenarios.length ? 'stopped' : 'finished'));
}

/** Null when interrupted, whatever the measurement made of that. */
async function measured(
  run: SuiteRun<unknown>,
  scenario: Scenario,
  before: SoFar,
): Promise<ScenarioResult | null> {
  if (run.signal.aborted) return null;
  const began = performance.now();
  try {
    const result = await run.measure(scenario, before);
    return run.signal.aborted ? null : result;
  } catch (error) {
    return run.signal.aborted ? null : unmeasured(scenario, error, secondsSince(began));
  }
}

/** One that could not be measured: its store was not to be had, for example. */
function unmeasured(scenario: Scenario, error: unknown, elapsedSeconds: number): ScenarioResult {
  return {
    ...scenario,
    status: 'failed',
    error: error instanceof Error ? error.message : String(error),
    elapsedSeconds,
    expected: scenario.jobs,
    completed: 0,
    totalSeconds: null,
    jobsPerSecond: null,
    runs: [],
  };
}

function secondsSince(began: number): number {
  return round((performance.now() - began) / 1_000);
}
