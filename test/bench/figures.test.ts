import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeFromCompressedBase64 } from 'hdr-histogram-js';
import { Durations } from '../../bench/src/histogram.ts';
import { makeInputs } from '../../bench/src/inputs.ts';
import { startPhase } from '../../bench/src/phase.ts';
import { round, spread } from '../../bench/src/spread.ts';
import { formatMs, table } from '../../bench/src/table.ts';

test('percentiles are those of the values, within the histogram’s three digits', () => {
  const { p50, p95, p99, p999, max, samples, mean } = new Durations(numbers(10_000)).summary();
  for (const [found, expected] of [
    [p50, 5_000],
    [p95, 9_500],
    [p99, 9_900],
    [p999, 9_990],
    [max, 10_000],
    [mean, 5_000.5],
  ] as const)
    assert.ok(Math.abs(found / expected - 1) < 0.001, `${found} is not ${expected}`);
  assert.equal(samples, 10_000);
});

test('microseconds are told apart', () => {
  const { p50, max } = new Durations([0.001, 0.002, 0.003]).summary();
  assert.deepEqual([p50, max], [0.002, 0.003]);
});

test('percentiles with fewer than ten samples beyond them are called weak', () => {
  assert.deepEqual(new Durations(numbers(2_000)).summary().weak, ['p999']);
  assert.deepEqual(new Durations(numbers(50)).summary().weak, ['p95', 'p99', 'p999']);
  assert.deepEqual(new Durations(numbers(10_000)).summary().weak, []);
});

test('no values give no percentiles, and a table shows that', () => {
  const { samples, p50 } = new Durations().summary();
  assert.equal(samples, 0);
  assert.equal(formatMs(p50), '-');
});

test('the rate of jobs that take long is not rounded to whole jobs', () => {
  const phase = startPhase();
  const { ms, perSecond } = phase.end(1, performance.now() + 154);
  assert.ok(Math.abs((ms * perSecond) / 1_000 - 1) < 0.001, `${perSecond} a second, in ${ms} ms`);
});

test('negative durations are counted, since they mean that clocks disagree', () => {
  assert.equal(new Durations([1, -0.5, 2]).negative, 1);
});

test('the encoded histogram can be read by other tools', () => {
  const decoded = decodeFromCompressedBase64(new Durations(numbers(1_000)).encoded());
  assert.equal(decoded.totalCount, 1_000);
});

test('the spread of runs is their median with their range', () => {
  assert.deepEqual(spread([5, 1, 3]), { median: 3, min: 1, max: 5 });
  assert.deepEqual(spread([1, 2, 4, 10]), { median: 3, min: 1, max: 10 });
});

test('figures keep four digits, and whole numbers all of theirs', () => {
  assert.deepEqual([round(0.123456), round(12.3456), round(123_456.7)], [0.1235, 12.35, 123_457]);
});

test('inputs have the size asked for, and numbers from 0', () => {
  const inputs = makeInputs(1_001, 40);
  assert.deepEqual(
    inputs.map(({ n }) => n),
    numbers(1_001).map((n) => n - 1),
  );
  assert.ok(inputs.every((input) => JSON.stringify(input).length === 40));
  assert.equal(JSON.stringify(makeInputs(1, 0)[0]), '{"n":0}');
});

test('a table lines its columns up', () => {
  const text = table([
    ['', 'median'],
    ['rate', '10'],
    ['a longer one', '1,000'],
  ]);
  assert.equal(
    text,
    '              median\n--------------------\nrate              10\na longer one   1,000',
  );
});

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
