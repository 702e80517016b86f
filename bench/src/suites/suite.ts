import type { Scenario } from '../scenarios/scenario.ts';
import { fast } from './fast.ts';
import { full } from './full.ts';
import { minimal } from './minimal.ts';
import type { Phase } from './phase.ts';
import { quick } from './quick.ts';

/**
 * Suites: scenarios that belong together, made here phase by phase from what varies in each, and run one after another
 * (run-suite.ts). A suite is plain data, so that a user can write it to a file (scenario-file.ts), change it there and
 * run that. What a scenario does, and what is measured of it, is the business of bench/scenarios, not of a suite.
 */
export interface Suite {
  readonly name: string;
  readonly scenarios: readonly Scenario[];
}

const MAKERS = { minimal, quick, fast, full } as const satisfies Record<string, () => readonly Phase[]>;

export const SUITES: readonly string[] = Object.keys(MAKERS);

/** One of SUITES; null for any other name. */
export function makeSuite(name: string): Suite | null {
  if (!Object.hasOwn(MAKERS, name)) return null;
  const phases = MAKERS[name as keyof typeof MAKERS]();
  const scenarios = phases.flatMap(({ phase, rows }) =>
    rows.map((row) => ({ suite: name, phase, ...row, ...ALIKE })),
  );
  return { name, scenarios };
}

const ALIKE = { jitter: 0, jobTimeoutMs: 30_000 };
