import type { Calibration } from '../scenarios/calibration.ts';
import type { ScenarioResult } from '../scenarios/scenario.ts';
import type { ServerRecord } from '../site.ts';

/** What is saved of a suite after each of its scenarios, beside the heading that all documents have. */
export interface SuiteFigures {
  readonly suite: string;
  /** When this was written, ISO 8601. */
  readonly generatedAt: string;
  readonly state: SuiteState;
  readonly totals: SuiteTotals;
  readonly failed: readonly FailedScenario[];
  readonly server: ServerRecord | null;
  readonly calibration: Calibration;
  readonly results: readonly ScenarioResult[];
}

/**
 * `running`: written between two scenarios, and what is left of a suite that was killed; `finished`: each scenario was
 * run; `stopped`: one failed, and those after it were not run; `interrupted`: by SIGINT or SIGTERM.
 */
export type SuiteState = 'running' | 'finished' | 'stopped' | 'interrupted';

export interface SuiteTotals {
  /** Chosen to be run. */
  readonly scenarios: number;
  readonly run: number;
  readonly completed: number;
  readonly failed: number;
  /** Since the start of the first, s. */
  readonly elapsedSeconds: number;
}

export interface FailedScenario {
  readonly name: string;
  readonly phase: string;
  readonly error: string;
}

/** The figures that follow from the results. */
export function tally(
  scenarios: number,
  results: readonly ScenarioResult[],
  elapsedSeconds: number,
): Pick<SuiteFigures, 'totals' | 'failed'> {
  const failed = results
    .filter(({ status }) => status === 'failed')
    .map(({ name, phase, error }) => ({ name, phase, error: error ?? 'without a reason' }));
  const run = results.length;
  return {
    totals: { scenarios, run, completed: run - failed.length, failed: failed.length, elapsedSeconds },
    failed,
  };
}
