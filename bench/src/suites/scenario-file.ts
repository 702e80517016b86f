import type { Strategy } from '../longshore.ts';
import { type Scenario, WORKLOADS } from '../scenarios/scenario.ts';
import { between, type FieldRule, faultsOf, isRecord, oneOf, show, whole } from './fields.ts';
import type { Suite } from './suite.ts';

/** A change that a reader of old files would stumble over gets a new number. */
export const SCENARIOS_SCHEMA = 'longshore-scenarios/1';

/** A file of scenarios that cannot be run. The message has everything that is wrong with it, a line each. */
export class ScenariosInvalid extends Error {
  override readonly name = 'ScenariosInvalid';
  readonly faults: readonly string[];

  constructor(source: string, faults: readonly string[]) {
    const more = faults.length > LINES_MAX ? [`… and ${faults.length - LINES_MAX} faults more.`] : [];
    const lines = [...faults.slice(0, LINES_MAX), ...more].map((fault) => `\n  ${fault}`);
    super(`${source} cannot be run:${lines.join('')}`);
    this.faults = faults;
  }
}

const LINES_MAX = 20;

/** A suite as JSON text, which `parseScenarios` reads back. */
export function formatScenarios({ name, scenarios }: Suite): string {
  const plain = scenarios.map(({ suite, ...rest }) => rest);
  return `${JSON.stringify({ schema: SCENARIOS_SCHEMA, suite: name, scenarios: plain }, null, 2)}\n`;
}

/** Throws ScenariosInvalid, and nothing else. `source`: where the text came from, for the message. */
export function parseScenarios(text: string, source: string): Suite {
  const file = fromJson(text, source);
  const faults = faultsOf(file, FILE).map((fault) => (isRecord(file) ? fault : `The file ${fault}`));
  const rows = isRecord(file) && Array.isArray(file.scenarios) ? (file.scenarios as unknown[]) : [];
  for (const [n, row] of rows.entries())
    faults.push(...faultsOf(row, SCENARIO).map((fault) => `${label(row, n)}: ${fault}`));
  faults.push(...repeatedNames(rows));
  if (faults.length > 0) throw new ScenariosInvalid(source, faults);
  // Every field was checked above.
  const { suite: name } = file as { readonly suite: string };
  return { name, scenarios: (rows as Omit<Scenario, 'suite'>[]).map((row) => ({ suite: name, ...row })) };
}

function fromJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ScenariosInvalid(source, [`It is no JSON: ${(error as Error).message}`]);
  }
}

/** Results are saved under the suite's name. */
const SUITE_NAME = /^[A-Za-z0-9][\w.-]{0,99}$/;

const FILE: Readonly<Record<string, FieldRule>> = {
  schema: oneOf([SCENARIOS_SCHEMA]),
  suite: {
    expected: 'a name of at most 100 letters, digits, dots, hyphens and underscores',
    holds: (value) => typeof value === 'string' && SUITE_NAME.test(value),
  },
  scenarios: {
    expected: 'a list of at least one scenario',
    holds: (value) => Array.isArray(value) && value.length > 0,
  },
};

const NAME: FieldRule = {
  expected: 'a name of 1 to 100 characters, none of them a control character',
  holds: (value) => typeof value === 'string' && /^\P{Cc}{1,100}$/u.test(value) && value.trim() !== '',
};

const STRATEGIES = Object.keys({
  async: true,
  thread: true,
  process: true,
  auto: true,
} satisfies Record<Strategy, true>);

const DAY_SECONDS = 86_400;

const SCENARIO: Readonly<Record<keyof Omit<Scenario, 'suite'>, FieldRule>> = {
  phase: NAME,
  name: NAME,
  strategy: oneOf(STRATEGIES),
  workload: oneOf(WORKLOADS),
  jobs: whole(1, 1_000_000),
  concurrency: whole(1, 10_000),
  workSeconds: between(0.001, 3_600),
  jitter: between(0, 1),
  repeats: whole(1, 1_000),
  timeoutSeconds: between(1, DAY_SECONDS),
  jobTimeoutMs: whole(1, DAY_SECONDS * 1_000),
};

/** Results are told apart by the scenario's name. */
function repeatedNames(rows: readonly unknown[]): string[] {
  const first = new Map<unknown, number>();
  return rows.flatMap((row, n) => {
    const name = isRecord(row) ? row.name : undefined;
    if (typeof name !== 'string') return [];
    const before = first.get(name);
    if (before === undefined) first.set(name, n);
    return before === undefined
      ? []
      : [`${label(row, n)}: name is ${show(name)}, as that of scenario ${before + 1}; expected another one.`];
  });
}

/** Which scenario, counted from 1 as people do, and its name where it has one. */
function label(row: unknown, n: number): string {
  const name = isRecord(row) && typeof row.name === 'string' ? ` ${show(row.name)}` : '';
  return `scenario ${n + 1}${name}`;
}
