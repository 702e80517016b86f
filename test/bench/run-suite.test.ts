import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Scenario, ScenarioResult } from '../../bench/src/scenarios/scenario.ts';
import { secondsLeft, secondsOf } from '../../bench/src/suites/estimate.ts';
import { ResultFile } from '../../bench/src/suites/result-file.ts';
import { runSuite, type SoFar, type SuiteRun } from '../../bench/src/suites/run-suite.ts';
import { makeSuite } from '../../bench/src/suites/suite.ts';
import type { SuiteState } from '../../bench/src/suites/suite-document.ts';
import { formatSeconds } from '../../bench/src/suites/suite-table.ts';
import { temporaryFolder } from './bench-process.ts';

const SCENARIOS = makeSuite('fast')?.scenarios.slice(0, 3) ?? [];

interface Kept {
  readonly state: SuiteState;
  readonly results: readonly string[];
}

describe('the run of a suite', () => {
  test('keeps what there is before the first scenario, after each and at the end', async () => {
    const { kept, ran, end } = await runOf({});
    assert.deepEqual(kept, [
      { state: 'running', results: [] },
      { state: 'running', results: ['completed'] },
      { state: 'running', results: ['completed', 'completed'] },
      { state: 'finished', results: ['completed', 'completed', 'completed'] },
    ]);
    assert.deepEqual(ran, [0, 1, 2]);
    assert.deepEqual((await end).results.length, 3);
  });

  test('ends with the first scenario that fails', async () => {
    const { kept, ran } = await runOf({ failing: [1] });
    assert.deepEqual(ran, [0, 1]);
    assert.deepEqual(kept.at(-1), { state: 'stopped', results: ['completed', 'failed'] });
  });

  test('goes on behind one that fails where it is told to', async () => {
    const { kept, ran } = await runOf({ failing: [0, 1], continueOnError: true });
    assert.deepEqual(ran, [0, 1, 2]);
    assert.deepEqual(kept.at(-1), { state: 'finished', results: ['failed', 'failed', 'completed'] });
  });

  test('counts a scenario that could not be measured as failed, with the reason', async () => {
    const { end } = await runOf({ throwing: [0], continueOnError: true });
    const [first, second] = (await end).results;
    assert.deepEqual([first?.status, second?.status], ['failed', 'completed']);
    assert.deepEqual([first?.error, first?.expected, first?.completed, first?.runs], ['no server', 5, 0, []]);
  });

  for (const how of ['failing', 'throwing', 'completing'] as const) {
    test(`ends when interrupted, without a result of the scenario that was under way (${how})`, async () => {
      const { kept, ran, end } = await runOf({ [how]: [1], interruptedIn: 1, continueOnError: true });
      await assert.rejects(end, /^Error: interrupted$/);
      assert.deepEqual(ran, [0, 1]);
      assert.deepEqual(kept.at(-1), { state: 'interrupted', results: ['completed'] });
    });
  }

  test('ends when what was measured cannot be kept', async () => {
    const full = (soFar: SoFar): SoFar => {
      if (soFar.results.length === 1) throw new Error('no space left');
      return soFar;
    };
    const { ran, end } = await runOf({ keep: full });
    await assert.rejects(end, /no space left/);
    assert.deepEqual(ran, [0]);
  });
});

describe('the file of a suite', () => {
  test('is in a folder that is made, named by suite and time, and nobody else has it', (t) => {
    const folder = join(temporaryFolder(t), 'one', 'two');
    const at = new Date('2026-01-31T15:45:00.123Z');
    new ResultFile(folder, 'fast', at).write({ n: 1 });
    new ResultFile(folder, 'fast', at).write({ n: 2 });
    assert.deepEqual(readdirSync(folder).sort(), [
      'fast_20260131T154500Z-2.json',
      'fast_20260131T154500Z.json',
    ]);
  });

  test('keeps the version before when the next one cannot be written whole', (t) => {
    const folder = temporaryFolder(t);
    const file = new ResultFile(folder, 'fast', new Date());
    file.write({ n: 1 });
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    assert.throws(() => file.write(circular));
    assert.deepEqual(JSON.parse(readFileSync(file.path, 'utf8')), { n: 1 });
    // What a process that was killed in the middle leaves.
    writeFileSync(`${file.path}.next`, '{"n":');
    file.write({ n: 2 });
    assert.deepEqual(JSON.parse(readFileSync(file.path, 'utf8')), { n: 2 });
    assert.equal(readdirSync(folder).length, 1);
  });
});

describe('the time that is left', () => {
  const [one, other] = (makeSuite('minimal') ?? assert.fail()).scenarios as [Scenario, Scenario];

  test('is the work, by as many cores as it can use', () => {
    const starts = secondsOf({ ...one, jobs: 1, workSeconds: 0 }, 4);
    const work = (scenario: Scenario, cores: number): number => secondsOf(scenario, cores) - starts;
    const cpu = { ...one, jobs: 8, concurrency: 8, workSeconds: 1, repeats: 1 } as const;
    assert.equal(work(cpu, 4), 8);
    assert.equal(work({ ...cpu, strategy: 'thread' }, 4), 2);
    assert.equal(work({ ...cpu, strategy: 'thread', concurrency: 1 }, 4), 8);
    assert.equal(work({ ...cpu, workload: 'subprocess' }, 4), 2);
    assert.equal(work({ ...cpu, workload: 'io', strategy: 'thread' }, 4), 8);
    assert.equal(secondsOf({ ...cpu, repeats: 3 }, 4), 3 * (starts + 8));
  });

  test('is corrected by how long the others took', () => {
    const first = secondsLeft([], 0, [one, other]);
    assert.equal(secondsLeft([one], 2 * secondsOf(one), [other]), 2 * secondsOf(other));
    assert.equal(first, secondsOf(one) + secondsOf(other));
    assert.equal(secondsLeft([one, other], 60, []), 0);
  });

  test('is said in the units that people use', () => {
    assert.deepEqual([0.4, 59.6, 3_599, 7_800].map(formatSeconds), ['0 s', '1m 0s', '59m 59s', '2h 10m']);
  });
});

interface Told {
  readonly failing?: readonly number[];
  readonly throwing?: readonly number[];
  readonly completing?: readonly number[];
  readonly interruptedIn?: number;
  readonly continueOnError?: boolean;
  readonly keep?: SuiteRun<SoFar>['keep'];
}

/** A run whose scenarios end as told; `kept` and `ran` are complete when this resolves. */
async function runOf({ failing = [], throwing = [], interruptedIn, continueOnError = false, keep }: Told) {
  const kept: Kept[] = [];
  const ran: number[] = [];
  const interruption = new AbortController();
  const end = runSuite({
    scenarios: SCENARIOS,
    continueOnError,
    signal: interruption.signal,
    keep:
      keep ??
      ((soFar) => {
        kept.push({ state: soFar.state, results: soFar.results.map(({ status }) => status) });
        return soFar;
      }),
    measure: async (scenario) => {
      const n = SCENARIOS.indexOf(scenario);
      ran.push(n);
      if (n === interruptedIn) interruption.abort(new Error('interrupted'));
      if (throwing.includes(n)) throw new Error('no server');
      return resultOf(scenario, failing.includes(n) ? 'failed' : 'completed');
    },
  });
  await end.catch(() => undefined);
  return { kept, ran, end };
}

function resultOf(scenario: Scenario, status: ScenarioResult['status']): ScenarioResult {
  return {
    ...scenario,
    status,
    error: status === 'failed' ? 'a job is missing' : null,
    elapsedSeconds: 1,
    expected: scenario.jobs,
    completed: scenario.jobs,
    totalSeconds: null,
    jobsPerSecond: null,
    runs: [],
  };
}
