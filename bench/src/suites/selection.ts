import type { Scenario } from '../scenarios/scenario.ts';
import { round } from '../spread.ts';
import type { Suite } from './suite.ts';

/** Which scenarios of a suite are run, and how much of their work. */
export interface Selection {
  /** Only these; none: all. */
  readonly phases: readonly string[];
  /** At most so many, of those phases; null: all. */
  readonly limit: number | null;
  /** Times the work of each job. */
  readonly scale: number;
}

/** Throws where the suite has no such phase. */
export function select({ name, scenarios }: Suite, { phases, limit, scale }: Selection): Scenario[] {
  const known = [...new Set(scenarios.map(({ phase }) => phase))];
  const unknown = phases.find((phase) => !known.includes(phase));
  if (unknown !== undefined)
    throw new Error(
      `Suite ${JSON.stringify(name)} has no phase ${JSON.stringify(unknown)}; its phases are: ${known.join(', ')}.`,
    );
  return scenarios
    .filter(({ phase }) => phases.length === 0 || phases.includes(phase))
    .slice(0, limit ?? scenarios.length)
    .map((scenario) => scaled(scenario, scale));
}

/** More work gets more time. Less work keeps its limits, since what is no work (processes that start) does not shrink. */
function scaled(scenario: Scenario, scale: number): Scenario {
  const longer = Math.max(1, scale);
  return {
    ...scenario,
    workSeconds: round(scenario.workSeconds * scale),
    timeoutSeconds: scenario.timeoutSeconds * longer,
    jobTimeoutMs: Math.round(scenario.jobTimeoutMs * longer),
  };
}
