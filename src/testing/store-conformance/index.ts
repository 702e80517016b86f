import { ageingArea } from './ageing.ts';
import type { It } from './area.ts';
import { claimArea } from './claim.ts';
import { completionsArea } from './completions.ts';
import { concurrencyArea } from './concurrency.ts';
import { controlArea } from './control.ts';
import { duePlansArea } from './due-plans.ts';
import { enqueueArea } from './enqueue.ts';
import { errorsArea } from './errors.ts';
import type { OpenFixture } from './fixture.ts';
import { inspectArea } from './inspect.ts';
import { keysArea } from './keys.ts';
import { leasesArea } from './leases.ts';
import { limitsArea } from './limits.ts';
import { lockArea } from './lock.ts';
import { metaArea } from './meta.ts';
import { type FastCheck, modelArea } from './model.ts';
import { notifyArea } from './notify.ts';
import { payloadsArea } from './payloads.ts';
import { plansArea } from './plans.ts';
import { queuesArea } from './queues.ts';
import { replacedArea } from './replaced.ts';
import { reportsArea } from './reports.ts';
import { retentionArea } from './retention.ts';
import { settleArea } from './settle.ts';
import { termsArea } from './terms.ts';
import { trailArea } from './trail.ts';
import { Trial } from './trial.ts';
import { uniqueArea } from './unique.ts';
import { workersArea } from './workers.ts';

/**
 * The conformance suite: what docs/store-contract.md promises, as tests. It takes the test runner as an argument, so it
 * runs under node:test, vitest and others; it reads a store's capabilities and never its name; it passes `now` wherever
 * time matters and never sleeps. Each test opens a store of its own.
 */
export function storeConformance(options: ConformanceOptions): void {
  const { name, test, open, describe } = options;
  const register = (area: string, prefix: string): It => {
    return (sentence, body, needs) =>
      test(`${prefix}${area}: ${sentence}`, async (context) => {
        const trial = new Trial(open);
        try {
          const { capabilities } = await trial.openFresh();
          if (needs === undefined || capabilities[needs]) await body(trial);
          else context?.skip?.(`needs capability ${needs}`);
        } finally {
          await trial.close();
        }
      });
  };
  const all = (prefix: string): void => {
    for (const [area, add] of Object.entries(AREAS)) add(register(area, prefix));
    if (options.fastCheck !== undefined) modelArea(register('model', prefix), options.fastCheck);
  };
  if (describe === undefined) all(`${name}: `);
  else describe(name, () => all(''));
}

export interface ConformanceOptions {
  /** What the store is called in the report. */
  readonly name: string;
  /** `test` of the runner. */
  readonly test: TestFunction;
  /** `describe` of the runner, to group the tests. */
  readonly describe?: (name: string, body: () => void) => unknown;
  /** Opens an empty store; called once a test or more. */
  readonly open: OpenFixture;
  /** The fast-check module; without it the model-based test is left out. */
  readonly fastCheck?: FastCheck;
}

export type TestFunction = (name: string, body: (context?: TestContext) => Promise<void>) => unknown;

/** The part of a runner's test context the suite uses, where there is one. */
export interface TestContext {
  readonly skip?: (why: string) => void;
}

const AREAS: Readonly<Record<string, (it: It) => void>> = {
  enqueue: enqueueArea,
  payloads: payloadsArea,
  completions: completionsArea,
  meta: metaArea,
  claim: claimArea,
  settle: settleArea,
  leases: leasesArea,
  unique: uniqueArea,
  replaced: replacedArea,
  control: controlArea,
  queues: queuesArea,
  keys: keysArea,
  limits: limitsArea,
  ageing: ageingArea,
  inspect: inspectArea,
  terms: termsArea,
  trail: trailArea,
  retention: retentionArea,
  workers: workersArea,
  notify: notifyArea,
  lock: lockArea,
  concurrency: concurrencyArea,
  errors: errorsArea,
  reports: reportsArea,
  plans: plansArea,
  duePlans: duePlansArea,
};
