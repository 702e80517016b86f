import assert from 'node:assert/strict';
import { test } from 'node:test';
import { medianOf, ratioOf, verdictOf } from '../../bench/src/kit/ratio.ts';

/** Rates of one system as they were recorded on a machine that is not quiet: 12 rounds, 4 % apart at most. */
const RECORDED = [
  41_210, 40_880, 41_730, 40_420, 41_050, 41_390, 40_690, 41_600, 40_930, 41_280, 40_560, 41_470,
];

test('a system against itself gives 1.0 within its interval', () => {
  const itself = ratioOf(RECORDED, RECORDED);
  assert.ok(itself.low <= 1 && itself.high >= 1);
  assert.ok(Math.abs(itself.ratio - 1) < 0.001, String(itself.ratio));
  assert.equal(verdictOf(itself, 'higher'), 'same');
  const [odd, even] = [0, 1].map((rest) => RECORDED.filter((_, n) => n % 2 === rest)) as [number[], number[]];
  assert.equal(verdictOf(ratioOf(odd, even), 'higher'), 'same');
});

test('a slow-down of 10 % is found with five rounds, and its size is', () => {
  const [before, after] = [RECORDED.slice(0, 5), RECORDED.slice(5, 10).map((rate) => rate * 0.9)];
  const found = ratioOf(after, before);
  assert.equal(verdictOf(found, 'higher'), 'worse');
  assert.equal(verdictOf(found, 'lower'), 'better');
  assert.ok(found.low <= 0.9 && found.high >= 0.9, JSON.stringify(found));
  assert.ok(found.confidence >= 0.95);
});

test('one wild round does not make a verdict', () => {
  const wild = [...RECORDED.slice(0, 4), 10_000];
  assert.equal(verdictOf(ratioOf(wild, RECORDED.slice(5, 10)), 'higher'), 'same');
});

test('the interval has the exact confidence of the rank-sum test, and says so where rounds are too few', () => {
  // Tables of Mann and Whitney: 5 and 5 values, 2 pairs out of order or fewer: 4 of 252 arrangements on each side.
  assert.ok(Math.abs(ratioOf([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]).confidence - (1 - 8 / 252)) < 1e-9);
  const few = ratioOf([3, 4], [1, 2]);
  assert.deepEqual([few.low, few.high], [1.5, 4]);
  assert.ok(Math.abs(few.confidence - (1 - 2 / 6)) < 1e-9);
  assert.throws(() => ratioOf([], [1]), /needs a round/);
});

test('a median is the middle, or half way between two', () => {
  assert.equal(medianOf([3, 1, 2]), 2);
  assert.equal(medianOf([4, 1, 2, 3]), 2.5);
  assert.throws(() => medianOf([]), /no median/);
});
