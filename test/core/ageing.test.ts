import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireAgeing, untilSweepMs } from '../../src/core/ageing.ts';

test('ageing that makes no sense is refused by field, value and expectation', () => {
  for (const [ageing, message] of [
    [{ everyMs: 10, floor: 0 }, /ageing\.everyMs is 10; expected at least 1000 milliseconds/],
    [{ everyMs: Number.POSITIVE_INFINITY, floor: 0 }, /ageing\.everyMs is Infinity/],
    [{ floor: 0 }, /ageing\.everyMs is undefined/],
    [{ everyMs: 1_000 }, /ageing\.floor is undefined; expected a whole number/],
    [{ everyMs: 1_000, floor: 2 ** 31 }, /ageing\.floor is 2147483648/],
    [{ everyMs: 1_000, floor: 0, every: 1 }, /ageing has no option "every"; did you mean "everyMs"\?/],
    [7, /ageing is 7; expected an object \{ everyMs, floor \}, or null/],
  ] as const)
    assert.throws(() => requireAgeing('ageing', ageing), { code: 'OPTION_INVALID', message });
  const ageing = { everyMs: 1_000.5, floor: -10 };
  assert.deepEqual(requireAgeing('ageing', ageing), { everyMs: 1_001, floor: -10 });
});

test('a sweep is due an interval after the last one, and soon after a clock stepped back far', () => {
  const ageing = { everyMs: 10_000, floor: 0 };
  const untilMs = (now: number) => untilSweepMs(ageing, 1_000_000, now);
  assert.deepEqual([1_000_000, 1_004_000, 1_010_000, 1_500_000].map(untilMs), [10_000, 6_000, 0, 0]);
  assert.deepEqual([999_999, 990_000, 5].map(untilMs), [9_999, 0, 0]);
});
