import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadSettings } from '../../src/load/settings.ts';
import { finalLine, progressLine } from '../../src/load/text.ts';

describe('what a load generator is told', () => {
  test('the defaults', () => {
    assert.deepEqual(loadSettings({}, {}), {
      concurrency: 10,
      total: 100,
      ratePerSecond: null,
      reportMs: 10_000,
      maxRunMs: 0,
      message: 'Test scheduler',
    });
  });

  test('variables of the environment, and flags before them', () => {
    const env = {
      SCHEDULER_CONCURRENCY: '3',
      SCHEDULER_TOTAL_WORKFLOWS: '7',
      SCHEDULER_MESSAGE: 'hello',
      SCHEDULER_INFINITE_MODE: 'true',
      SCHEDULER_REPORT_INTERVAL: '2',
      SCHEDULER_MAX_RUNTIME: '90s',
      SCHEDULER_SERVICE_HOST: '10.0.0.1',
    };
    const all = { ratePerSecond: null, reportMs: 2_000, maxRunMs: 90_000, message: 'hello' };
    assert.deepEqual(loadSettings({}, env), { ...all, concurrency: 3, total: null });
    assert.deepEqual(loadSettings({ total: 5, concurrency: 2 }, env), { ...all, concurrency: 2, total: 5 });
  });

  for (const [env, says] of [
    [
      { SCHEDULER_CONCURENCY: '3' },
      /no environment variable "SCHEDULER_CONCURENCY"; did you mean "SCHEDULER_CONCURRENCY"\?/,
    ],
    [
      { SCHEDULER_TOTAL_WORKFLOWS: '0' },
      /^SCHEDULER_TOTAL_WORKFLOWS is "0"; expected a whole number of at least 1/,
    ],
    [{ SCHEDULER_INFINITE_MODE: 'perhaps' }, /^SCHEDULER_INFINITE_MODE is "perhaps"; expected true or false/],
    [{ SCHEDULER_MAX_RUNTIME: '1h' }, /^SCHEDULER_MAX_RUNTIME is "1h"; expected a number of seconds/],
    [
      { SCHEDULER_CONCURRENCY: '1000000' },
      /^--concurrency is 1000000; expected a whole number from 1 to 100000/,
    ],
  ] as const) {
    test(`refused with ${says.source}`, () => {
      assert.throws(() => loadSettings({}, env), { code: 'OPTION_INVALID', message: says });
    });
  }

  test('the lines that people read', () => {
    const report = {
      concurrent: 3,
      started: 12,
      completed: 8,
      failed: 1,
      seconds: 4,
      rate: 2,
      latencyMs: null,
    };
    assert.equal(progressLine('Jobs', report), 'Concurrent: 3 Jobs: 8 Rate: 2.00 Failed: 1');
    const latencyMs = { p50: 5, p95: 20, p99: 30, max: 1_500 };
    assert.equal(
      finalLine('Workflows', { ...report, latencyMs }),
      'Workflows: 8 in 4 s, 2.00 a second; p50 5 ms, p95 20 ms, p99 30 ms, longest 1.5 s (1 failed, 3 not waited for)',
    );
  });
});
