import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newSchedule } from '../../../src/core/schedule/actions.ts';
import { MISSED, OVERLAPS, type ScheduleData, type ScheduleValue } from '../../../src/core/schedule/data.ts';
import { decideSchedule, type ScheduleReport } from '../../../src/core/schedule/decide.ts';
import type { Start } from '../../../src/core/schedule/draft.ts';
import type { CronTicks } from '../../../src/core/schedule/ticks.ts';
import { holds } from '../check.ts';

/** The rule of schedules, under any pattern of looks, ends and lost races. */

const noCron: CronTicks = {
  after: () => null,
  before: () => [],
};
const idOf = (as: string): string => as;
const EVERY_MS = 1_000;
const T0 = 1_000_000;

function schedule(changes: Partial<ScheduleData>): ScheduleValue {
  const data: ScheduleData = {
    when: { kind: 'every', everyMs: EVERY_MS, anchor: T0 },
    start: null,
    end: null,
    jitterMs: 0,
    overlap: 'allow',
    missed: 'once',
    missedMax: 5,
    target: {
      kind: 'task',
      task: 't',
      queue: 'q',
      priority: 0,
      attemptsMax: 1,
      key: null,
      input: null,
      meta: null,
    },
    ...changes,
  };
  const action = { type: 'set', data, owner: null, note: null, generation: 'g', by: 'b' } as const;
  return newSchedule('s', action, T0, noCron);
}

/** One look at the schedule: some time later, with some of what runs ended, perhaps decided twice with one result lost. */
const looks = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 0, max: 500_000 })),
    ends: fc.array(fc.nat(5), { maxLength: 4 }),
    repeats: fc.nat(2),
  }),
  { maxLength: 30 },
);

interface Played {
  readonly starts: Start[];
  readonly skipped: { from: number; to: number; reason: string }[];
  readonly value: ScheduleValue;
  readonly now: number;
  /** Most that ran at a time. */
  readonly most: number;
}

function play(
  first: ScheduleValue,
  steps: readonly { afterMs: number; ends: number[]; repeats: number }[],
): Played {
  let value = first;
  let now = T0;
  let most = 0;
  const starts: Start[] = [];
  const skipped: Played['skipped'] = [];
  const running = new Map<string, Start>();
  for (const { afterMs, ends, repeats } of steps) {
    now += afterMs;
    const reports: ScheduleReport[] = ends.flatMap((index) => {
      const [as] = [...running.keys()].slice(index % Math.max(1, running.size));
      if (as === undefined) return [];
      running.delete(as);
      return [{ as, state: 'completed', at: now }];
    });
    const given = { value, now, cron: noCron, idOf, reports };
    const decision = decideSchedule(given);
    // Whoever lost the race decided the same from the same.
    for (let again = 0; again < repeats; again += 1) assert.deepEqual(decideSchedule(given), decision);
    for (const start of decision.starts) {
      starts.push(start);
      running.set(start.as, start);
    }
    most = Math.max(most, running.size);
    skipped.push(...decision.skipped);
    value = decision.value;
    assert.ok(value.next === null || value.next > now);
    assert.equal(decision.wakeAt === null, value.next === null);
  }
  return { starts, skipped, value, now, most };
}

test('each tick is started once, skipped or waits, in order, whatever happens when', () => {
  holds(looks, fc.constantFrom(...OVERLAPS), fc.constantFrom(...MISSED), (steps, overlap, missed) => {
    const { starts, skipped, value, now, most } = play(schedule({ overlap, missed }), steps);
    const times = starts.map(({ scheduledAt }) => scheduledAt);
    assert.equal(new Set(times).size, times.length);
    assert.equal(new Set(starts.map(({ id }) => id)).size, times.length);
    assert.deepEqual(
      times,
      [...times].sort((one, other) => one - other),
    );
    if (overlap !== 'allow') assert.ok(most <= 1);
    const due: number[] = [];
    for (let tick = T0 + EVERY_MS; tick <= now; tick += EVERY_MS) due.push(tick);
    const isSkipped = (tick: number) => skipped.some(({ from, to }) => from <= tick && tick <= to);
    const left = due.filter((tick) => !times.includes(tick) && tick !== value.queued);
    assert.ok(left.every(isSkipped));
    assert.ok(times.every((tick) => due.includes(tick)));
    assert.equal(
      times.filter(isSkipped).length,
      0,
      'what is skipped is not started, and what is started not skipped',
    );
  });
});

test('without a long stop and with overlaps allowed, no tick is left out', () => {
  const short = looks.map((steps) => steps.map((step) => ({ ...step, afterMs: step.afterMs % 50_000 })));
  holds(short, fc.constantFrom(...MISSED), (steps, missed) => {
    const { starts, skipped, now } = play(schedule({ missed }), steps);
    assert.equal(starts.length, Math.floor((now - T0) / EVERY_MS));
    assert.deepEqual(skipped, []);
  });
});

test('a report of something else, or one that came already, changes nothing', () => {
  const first = schedule({ overlap: 'queue' });
  const started = decideSchedule({ value: first, now: T0 + EVERY_MS, cron: noCron, idOf });
  const [start] = started.starts;
  const now = T0 + EVERY_MS + 1;
  const report = { as: start?.as ?? '', state: 'completed', at: now };
  const ended = decideSchedule({ value: started.value, now, cron: noCron, idOf, reports: [report] });
  assert.deepEqual(ended.value.live, []);
  const again = decideSchedule({
    value: ended.value,
    now,
    cron: noCron,
    idOf,
    reports: [report, { ...report, as: 'other' }],
  });
  assert.deepEqual(again.value, ended.value);
});
