import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LongshoreError } from '../../src/core/errors.ts';
import {
  changeLimits,
  KEY_WINDOW,
  keyWindow,
  LIMITS_NONE,
  type Rate,
  rateRoom,
  rateTake,
  type StartLog,
} from '../../src/core/limits.ts';

const steps = fc.array(fc.record({ waitMs: fc.nat(400), wanted: fc.integer({ min: 1, max: 8 }) }), {
  maxLength: 60,
});
const rates = fc.record({
  count: fc.integer({ min: 1, max: 10 }),
  perMs: fc.integer({ min: 1, max: 1_000 }),
});

/** Starts as many as there is room for, step by step; returns the time of every start. */
function run(rate: Rate, script: readonly { waitMs: number; wanted: number }[]): number[] {
  const starts: number[] = [];
  let log: StartLog = [];
  let now = 1_000;
  for (const { waitMs, wanted } of script) {
    now += waitMs;
    const taken = Math.min(rateRoom(log, rate, now).room, wanted);
    if (taken > 0) log = rateTake(log, rate, now, taken);
    for (let n = 0; n < taken; n += 1) starts.push(now);
  }
  return starts;
}

test('no window of a rate ever holds more starts than its count, wherever the window begins', () => {
  fc.assert(
    fc.property(rates, steps, (rate, script) => {
      const starts = run(rate, script);
      for (const from of starts) {
        const inWindow = starts.filter((at) => at >= from && at < from + rate.perMs).length;
        assert.ok(inWindow <= rate.count, `${inWindow} starts within ${rate.perMs} ms`);
      }
    }),
    { seed: 41, numRuns: 300 },
  );
});

test('when there is no room, there is some at the time that was told, and none a millisecond before', () => {
  fc.assert(
    fc.property(rates, fc.integer({ min: 1, max: 500 }), (rate, spread) => {
      let log: StartLog = [];
      let now = 1_000;
      for (let n = 0; n < rate.count; n += 1) {
        const { room, nextAt } = rateRoom(log, rate, now);
        if (room === 0) now = nextAt;
        log = rateTake(log, rate, now, 1);
        now += spread % 7;
      }
      const { room, nextAt } = rateRoom(log, rate, now);
      if (room > 0) return;
      assert.ok(rateRoom(log, rate, nextAt).room > 0);
      assert.equal(rateRoom(log, rate, nextAt - 1).room, 0);
    }),
    { seed: 42, numRuns: 300 },
  );
});

test('the log of starts never grows past the count of the rate', () => {
  fc.assert(
    fc.property(rates, steps, (rate, script) => {
      let log: StartLog = [];
      let now = 0;
      for (const { waitMs, wanted } of script) {
        now += waitMs;
        const taken = Math.min(rateRoom(log, rate, now).room, wanted);
        if (taken > 0) log = rateTake(log, rate, now, taken);
        assert.ok(log.length <= rate.count);
      }
    }),
    { seed: 43, numRuns: 200 },
  );
});

test('a clock that steps back does not open the window', () => {
  const rate = { count: 2, perMs: 100 };
  const log = rateTake([], rate, 1_000, 2);
  assert.equal(rateRoom(log, rate, 950).room, 0);
});

test('ordered keys have one place in the line, others their limit or the window for turns', () => {
  assert.equal(keyWindow(LIMITS_NONE), KEY_WINDOW);
  assert.equal(keyWindow(changeLimits(LIMITS_NONE, { perKey: { concurrency: 3 } })), 3);
  assert.equal(keyWindow(changeLimits(LIMITS_NONE, { perKey: { ordered: true } })), 1);
});

test('a change keeps what it does not name, and refuses what cannot hold, naming the field', () => {
  const limits = changeLimits(LIMITS_NONE, { concurrency: 5, perKey: { ordered: true } });
  assert.deepEqual(changeLimits(limits, { rate: { count: 1, perMs: 10 } }), {
    concurrency: 5,
    rate: { count: 1, perMs: 10 },
    perKey: { concurrency: null, ordered: true, rate: null },
  });
  for (const [change, field] of [
    [{ concurrency: 0 }, 'limits.concurrency'],
    [{ rate: { count: 0, perMs: 1_000 } }, 'limits.rate.count'],
    [{ rate: { count: 1, perMs: 0 } }, 'limits.rate.perMs'],
    [{ perKey: { concurrency: -1 } }, 'limits.perKey.concurrency'],
    [{ perKey: { ordered: true, concurrency: 2 } }, 'limits.perKey.concurrency'],
    [{ perKey: { rate: { count: 1.5, perMs: 1 } } }, 'limits.perKey.rate.count'],
  ] as const) {
    assert.throws(
      () => changeLimits(LIMITS_NONE, change),
      (error: LongshoreError) => error.code === 'OPTION_INVALID' && error.details['field'] === field,
    );
  }
});
