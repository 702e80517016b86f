/** What the library of cron arithmetic was chosen by (docs/adr/0019-cron-library.md). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadCron } from '../../src/schedule/cron.ts';

const ZURICH = 'Europe/Zurich';

const CASES: readonly (readonly [
  title: string,
  expression: string,
  zone: string,
  from: string,
  ticks: string[],
])[] = [
  ['autumn, fixed hour', '30 2 * * *', ZURICH, '2026-10-24T12:00Z', ['10-25T00:30', '10-26T01:30']],
  ['autumn, list of hours', '30 2,14 * * *', ZURICH, '2026-10-24T22:00Z', ['10-25T00:30', '10-25T13:30']],
  [
    ...(['autumn, wildcard', '*/30 2 * * *', ZURICH, '2026-10-24T22:00Z'] as const),
    ['10-25T00:00', '10-25T00:30', '10-25T01:00', '10-25T01:30', '10-26T01:00'],
  ],
  ['spring, fixed hour', '30 2 * * *', ZURICH, '2026-03-28T12:00Z', ['03-29T01:00', '03-30T00:30']],
  [
    'spring, gap of half an hour',
    '15 2 * * *',
    'Australia/Lord_Howe',
    '2026-10-03T00:00Z',
    ['10-03T15:30', '10-04T15:15'],
  ],
  [
    'spring, wildcard',
    '*/30 * * * *',
    ZURICH,
    '2026-03-29T00:00Z',
    ['03-29T00:30', '03-29T01:00', '03-29T01:30'],
  ],
  ['last day', '0 0 L * *', 'UTC', '2026-01-31T00:00Z', ['02-28T00:00', '03-31T00:00']],
  ['nth weekday', '0 9 * * 5#2', 'UTC', '2026-01-31T00:00Z', ['02-13T09:00', '03-13T09:00']],
  ['7 is Sunday', '0 9 * * 7', 'UTC', '2026-01-31T00:00Z', ['02-01T09:00', '02-08T09:00']],
  ['either day', '0 0 13 * 5', 'UTC', '2026-02-07T00:00Z', ['02-13T00:00', '02-20T00:00']],
  [
    'seconds',
    '*/20 0 0 * * *',
    'UTC',
    '2026-02-01T00:00Z',
    ['02-01T00:00:20', '02-01T00:00:40', '02-02T00:00'],
  ],
  ['a name', '@daily', ZURICH, '2026-02-01T00:00Z', ['02-01T23:00', '02-02T23:00']],
  [
    'a day that is skipped',
    '0 12 * * *',
    'Pacific/Apia',
    '2011-12-29T12:00Z',
    ['12-29T22:00', '12-30T22:00'],
  ],
];

for (const [title, expression, zone, from, expected] of CASES)
  test(`${title}: ${expression} in ${zone}`, async () => {
    const cron = await loadCron();
    const found: string[] = [];
    for (let time: number | null = Date.parse(from); found.length < expected.length; ) {
      time = cron.after({ expression, zone }, time as number);
      assert.ok(time !== null);
      found.push(
        new Date(time)
          .toISOString()
          .slice(5)
          .replace(/(:00)?\.000Z$/, ''),
      );
    }
    assert.deepEqual(found, expected);
  });

test('what never fires, and what is no expression, is refused', async () => {
  const cron = await loadCron();
  for (const expression of [
    '0 0 30 2 *',
    '0 0 31 4,6,9,11 *',
    '',
    '* * * *',
    '60 * * * *',
    '*/0 * * * *',
    '2027-01-01T00:00:00',
    '@reboot',
    5,
  ])
    assert.throws(
      () => cron.requireExpression('cron', expression, 'UTC', 0),
      { code: 'OPTION_INVALID' },
      String(expression),
    );
});

test('ticks before a time are those that come after an earlier one, in any zone', async () => {
  const cron = await loadCron();
  const specs = fc.record({
    expression: fc.constantFrom('30 2 * * *', '*/20 2 * * *', '0,30 1-3 * * *', '15 2 * * 0', '7 * * * *'),
    zone: fc.constantFrom(ZURICH, 'America/New_York', 'Australia/Lord_Howe', 'UTC'),
  });
  const times = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2027, 0, 1) });
  fc.assert(
    fc.property(specs, times, fc.integer({ min: 1, max: 8 }), (spec, time, count) => {
      const before = cron.before(spec, time, count);
      assert.equal(before.length, count);
      for (const [index, tick] of before.entries()) {
        const next = cron.after(spec, tick);
        const following = before[index + 1];
        if (following === undefined) assert.ok(tick < time && next !== null && next >= time);
        else assert.equal(next, following);
      }
    }),
    { seed: 20_260_101, numRuns: 100 },
  );
});
