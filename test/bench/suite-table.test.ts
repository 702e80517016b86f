import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Percentiles, ScenarioResult, ScenarioRun } from '../../bench/src/scenarios/scenario.ts';
import { makeSuite } from '../../bench/src/suites/suite.ts';
import { tally } from '../../bench/src/suites/suite-document.ts';
import { suiteTable } from '../../bench/src/suites/suite-table.ts';

test('a row a scenario, below its phase, medians of the repeats, and a mark where samples are few', () => {
  const lines = linesOf([completed(0, [2, 4, 30]), completed(1, [3]), completed(2, [5])]);
  assert.deepEqual(lines.slice(2, 7), [
    ['fast_baseline'],
    ['fast_baseline_async', 'async', 'cpu', '4.00', '~40.0', '0.40', '8.00', '4.00', 'completed'],
    ['fast_baseline_thread', 'thread', 'cpu', '3.00', '30.0', '0.30', '6.00', '3.00', 'completed'],
    ['fast_workload'],
    ['fast_workload_io_async', 'async', 'io', '5.00', '50.0', '0.50', '10.0', '5.00', 'completed'],
  ]);
});

test('a scenario that failed has no figures, even where its runs have, but its reason', () => {
  const good = completed(0, [2]);
  const failed = { ...good, status: 'failed', error: 'job 3 is missing' } as const;
  const lines = linesOf([failed, completed(1, [3])]);
  assert.deepEqual(lines[3], [good.name, 'async', 'cpu', '-', '-', '-', '-', '-', 'failed']);
  const said = lines.map((cells) => cells.join(' '));
  assert.ok(said.includes('failed: fast_baseline_async: job 3 is missing'));
  assert.ok(said.includes('1 of 2 scenarios completed, 14 not run, in 1m 5s.'));
});

function linesOf(results: readonly ScenarioResult[]): string[][] {
  const rest = { suite: 'fast', generatedAt: '', state: 'stopped', server: null, calibration: {}, results };
  const text = suiteTable({ ...rest, ...tally(16, results, 65) } as never);
  return text.split('\n').map((line) => line.trim().split(/ {2,}/));
}

/** A repeat a figure, from which all others follow; with several repeats, samples are few in the first. */
function completed(n: number, figures: readonly number[]): ScenarioResult {
  const scenario = makeSuite('fast')?.scenarios[n] ?? assert.fail();
  const statistics = (values: readonly number[]) => {
    const sorted = [...values].sort((one, other) => one - other);
    const median = sorted[sorted.length >> 1] ?? Number.NaN;
    return { median, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0, average: median, deviation: null };
  };
  return {
    ...scenario,
    status: 'completed',
    error: null,
    elapsedSeconds: 1,
    expected: scenario.jobs,
    completed: scenario.jobs,
    totalSeconds: statistics(figures),
    jobsPerSecond: statistics(figures),
    runs: figures.map((figure, repeat) => run(figure, figures.length > 1 && repeat === 0)),
  };
}

function run(figure: number, weak: boolean): ScenarioRun {
  const percentiles = (p99: number, few = false): Percentiles => ({
    p50: 0,
    p95: 0,
    p99,
    max: p99,
    samples: 5,
    weak: few ? ['p99'] : [],
  });
  return {
    totalSeconds: figure,
    jobsPerSecond: figure,
    completed: 5,
    redeliveries: 0,
    leaseLosses: 0,
    waitMs: percentiles(figure * 10, weak),
    runMs: percentiles(1),
    eventLoopDelayMs: percentiles(figure / 10),
    cpuSeconds: figure * 2,
    memoryMb: { before: 1, peak: 1, childrenPeak: 0 },
    lanes: {},
    work: { unit: 'iterations', amount: 1 },
    endedSeconds: [],
    choices: [],
  };
}
