import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Scenario } from '../../bench/src/scenarios/scenario.ts';
import { makeSuite, SUITES } from '../../bench/src/suites/suite.ts';

/** The rows that the suites must have, written down once: fixtures/scenarios.csv. */
const [HEAD = [], ...ROWS] = readFileSync(new URL('./fixtures/scenarios.csv', import.meta.url), 'utf8')
  .trim()
  .split(/\r?\n/)
  .map((line) => line.split(','));

/** The columns of the file, as fields of a scenario. */
const FIELDS: Readonly<Record<string, keyof Scenario>> = {
  suite: 'suite',
  phase: 'phase',
  name: 'name',
  strategy: 'strategy',
  workload_type: 'workload',
  num_instances: 'jobs',
  max_concurrent_jobs: 'concurrency',
  work_duration_s: 'workSeconds',
  repeats: 'repeats',
  timeout_s: 'timeoutSeconds',
  job_timeout_ms: 'jobTimeoutMs',
};

const TEXTS = ['suite', 'phase', 'name', 'strategy', 'workload'];

describe('suites', () => {
  test('are the rows that were written down, field by field and in their order', () => {
    const expected = ROWS.map((row) =>
      Object.fromEntries(
        HEAD.map((column, n) => {
          const field = FIELDS[column] ?? assert.fail(`an unknown column ${column}`);
          return [field, TEXTS.includes(field) ? row[n] : Number(row[n])];
        }),
      ),
    );
    const made = SUITES.flatMap((name) => makeSuite(name)?.scenarios ?? []);
    assert.deepEqual(
      made.map(({ jitter, ...rest }) => rest),
      expected,
    );
    assert.ok(made.every(({ jitter }) => jitter === 0));
  });

  test('have the sizes that their users count on, and eight phases in the largest', () => {
    const sizes = SUITES.map((name) => [name, makeSuite(name)?.scenarios.length]);
    assert.deepEqual(sizes, [
      ['minimal', 2],
      ['quick', 10],
      ['fast', 16],
      ['full', 60],
    ]);
    const phases = new Set(makeSuite('full')?.scenarios.map(({ phase }) => phase));
    assert.equal(phases.size, 8);
  });

  test('are no others, not even by the names that objects have of themselves', () => {
    for (const name of ['', 'Full', 'toString', '__proto__', 'constructor'])
      assert.equal(makeSuite(name), null);
  });
});
