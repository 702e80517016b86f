/**
 * The faults that users of other schedulers met, each by its name. On the memory store with a clock moved by hand; those
 * about several workers also in workers.test.ts, on the stores that several processes share.
 */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { connect, defineTask, type Longshore, type TaskSchedule } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { record } from '../stage.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const tick = defineTask({ name: 'tick', run: () => undefined });

interface Scene {
  readonly longshore: Longshore;
  readonly clock: FakeClock;
  /** Times of the jobs there are, as text, in the order they were started. */
  ticks(): string[];
  /** Lets time pass, in steps, with a look at the store after each. */
  pass(ms: number, stepMs?: number): Promise<void>;
}

async function scene(t: TestContext, startsAt: string): Promise<Scene> {
  const clock = new FakeClock(Date.parse(startsAt));
  const longshore = await connect('memory:', { clock });
  t.after(() => longshore.close());
  const seen = record(longshore, 'schedule.ticked');
  return {
    longshore,
    clock,
    ticks: () => seen.map(({ event }) => textOf(event.scheduledAt)),
    pass: async (ms, stepMs = ms) => {
      for (let passed = 0; passed < ms; passed += stepMs) {
        await clock.advance(stepMs);
        await longshore.flows.planner.sweep(0);
      }
    },
  };
}

function textOf(time: number): string {
  return new Date(time).toISOString().replace(/(:00)?\.000Z$/, 'Z');
}

function at(cron: string, zone = 'Europe/Zurich'): TaskSchedule<typeof tick> {
  return { cron, zone, task: tick };
}

describe('faults that others had', () => {
  test('1. in autumn a fixed hour ticks once, and wildcards keep their pace', async (t) => {
    const { longshore, ticks, pass } = await scene(t, '2026-10-24T22:30:00Z');
    await longshore.schedules.set('fixed', at('30 2 * * *'));
    await pass(5 * HOUR, 10 * MINUTE);
    assert.deepEqual(ticks(), ['2026-10-25T00:30Z']);
    const wild = await longshore.schedules.preview(at('*/30 * * * *'), 6, {
      from: new Date('2026-10-24T23:45:00Z'),
    });
    const hours = wild.map((date) => textOf(date).slice(11, 16));
    assert.deepEqual(hours, ['00:00', '00:30', '01:00', '01:30', '02:00', '02:30']);
  });

  test('2. in spring a time in the gap ticks once at its end, and later days are right', async (t) => {
    const { longshore, ticks, pass } = await scene(t, '2026-03-28T00:00:00Z');
    await longshore.schedules.set('fixed', at('30 2 * * *'));
    await pass(3 * DAY + HOUR, 20 * MINUTE);
    const expected = ['2026-03-28T01:30Z', '2026-03-29T01:00Z', '2026-03-30T00:30Z', '2026-03-31T00:30Z'];
    assert.deepEqual(ticks(), expected);
  });

  test('3. at the change nothing spins, stops or crashes', async (t) => {
    for (const [zone, around] of [
      ['Europe/Zurich', '2026-03-29T00:00:00Z'],
      ['Europe/Zurich', '2026-10-25T00:00:00Z'],
      ['Australia/Lord_Howe', '2026-04-04T14:00:00Z'],
      ['Australia/Lord_Howe', '2026-10-03T14:00:00Z'],
    ] as const) {
      const { longshore, ticks, pass, clock } = await scene(t, around);
      const stuck = record(longshore, 'plan.stuck', 'store.failed');
      await longshore.schedules.set('quarter', at('*/15 * * * *', zone));
      const began = clock.now();
      await pass(4 * HOUR, 5 * MINUTE);
      const expected = Array.from({ length: 16 }, (_, n) => textOf(began + (n + 1) * 15 * MINUTE));
      assert.deepEqual(ticks(), expected);
      assert.deepEqual(stuck, []);
      // One decision a tick, beside the first.
      const plan = await longshore.schedules.get('quarter');
      assert.deepEqual([plan?.starts, plan?.state], [16, 'active']);
    }
  });

  test('4. many replicas that upsert at boot make one schedule, and one tick', async (t) => {
    const { longshore, ticks, pass } = await scene(t, '2026-01-01T00:00:00Z');
    const schedules = { nightly: at('30 2 * * *', 'UTC') };
    const reports = await Promise.all(
      Array.from({ length: 10 }, () => longshore.schedules.upsertAll('app', schedules)),
    );
    assert.equal(reports.flatMap(({ created }) => created).length, 1);
    assert.equal(reports.flatMap(({ unchanged }) => unchanged).length, 9);
    await pass(2 * HOUR + 30 * MINUTE);
    await Promise.all(Array.from({ length: 10 }, () => longshore.flows.planner.sweep(0)));
    assert.deepEqual(ticks(), ['2026-01-01T02:30Z']);
    assert.equal((await longshore.jobs.list({ task: 'tick' })).jobs.length, 1);
  });

  test('5. an edit, or a removal and a new one, takes effect before the tick', async (t) => {
    const { longshore, ticks, pass } = await scene(t, '2026-01-01T00:00:00Z');
    const { schedules } = longshore;
    await schedules.set('edited', at('0 1 * * *', 'UTC'));
    await schedules.set('again', at('0 1 * * *', 'UTC'));
    await pass(HOUR - 1);
    assert.equal(await schedules.set('edited', at('0 2 * * *', 'UTC')), 'changed');
    assert.equal(await schedules.remove('again'), true);
    await schedules.set('again', { ...at('0 1 * * *', 'UTC'), queue: 'new' });
    await pass(1);
    assert.deepEqual(ticks(), ['2026-01-01T01:00Z']);
    const { jobs } = await longshore.jobs.list({ task: 'tick' });
    assert.deepEqual(
      jobs.map(({ queue }) => queue),
      ['new'],
    );
    // Made anew after its tick, it waits for the next one.
    await schedules.remove('again');
    await schedules.set('again', at('0 1 * * *', 'UTC'));
    await pass(HOUR);
    assert.deepEqual(ticks(), ['2026-01-01T01:00Z', '2026-01-01T02:00Z']);
  });

  test('6. a schedule that vanished from code is disabled, shown as such, and comes back with it', async (t) => {
    const { longshore, ticks, pass } = await scene(t, '2026-01-01T00:30:00Z');
    const { schedules } = longshore;
    await schedules.set('by-hand', at('0 5 * * *', 'UTC'));
    await schedules.upsertAll('app', { kept: at('0 3 * * *', 'UTC'), gone: at('0 1 * * *', 'UTC') });
    await schedules.upsertAll('other', { theirs: at('0 4 * * *', 'UTC') });
    const report = await schedules.upsertAll('app', { kept: at('0 3 * * *', 'UTC') });
    assert.deepEqual(report, { created: [], changed: [], unchanged: ['kept'], orphaned: ['gone'] });
    const gone = await schedules.get('gone');
    assert.deepEqual([gone?.state, gone?.nextAt], ['orphaned', null]);
    assert.equal(gone?.orphanedAt, Date.UTC(2026, 0, 1, 0, 30));
    await pass(DAY, HOUR / 2);
    assert.deepEqual(ticks(), ['2026-01-01T03:00Z', '2026-01-01T04:00Z', '2026-01-01T05:00Z']);
    const back = { kept: at('0 3 * * *', 'UTC'), gone: at('0 1 * * *', 'UTC') };
    assert.deepEqual((await schedules.upsertAll('app', back)).changed, ['gone']);
    await pass(HOUR / 2);
    assert.equal(ticks().at(-1), '2026-01-02T01:00Z');
    await assert.rejects(schedules.upsertAll('other', back), { code: 'SCHEDULE_OWNED' });
  });

  test('7. a stop that is as short as a restart loses no tick', async (t) => {
    const { longshore, ticks, pass, clock } = await scene(t, '2026-01-01T00:00:00Z');
    for (const missed of ['skip', 'once', 'all'] as const)
      await longshore.schedules.set(missed, { everyMs: 10 * SECOND, task: tick, missed });
    await pass(30 * SECOND, 10 * SECOND);
    await clock.advance(40 * SECOND);
    await longshore.flows.planner.sweep(0);
    const expected = Array.from({ length: 7 }, (_, n) =>
      textOf(Date.UTC(2026, 0, 1) + (n + 1) * 10 * SECOND),
    );
    const found = ticks();
    assert.deepEqual([...new Set(found)], expected);
    assert.equal(found.length, 3 * expected.length);
  });

  test('8. what follows a long stop is bounded', async (t) => {
    const { longshore, clock } = await scene(t, '2026-01-01T00:00:00Z');
    const { schedules, flows } = longshore;
    const every = { everyMs: SECOND, task: tick };
    await schedules.set('skip', { ...every, missed: 'skip' });
    await schedules.set('once', { ...every, missed: 'once' });
    await schedules.set('all', { ...every, missed: 'all', missedMax: 7 });
    await schedules.set('cron', { ...at('* * * * * *'), missed: 'all', missedMax: 7 });
    await schedules.set('late', { everyMs: 5 * MINUTE, task: tick, missed: 'skip' });
    const skipped = record(longshore, 'schedule.skipped');
    const began = clock.now();
    await clock.advance(365 * DAY + 2 * MINUTE);
    await flows.planner.sweep(0);
    const starts = async (name: string) => (await schedules.get(name))?.starts;
    assert.equal(await starts('skip'), 1, 'only the tick of now');
    assert.equal(await starts('once'), 1);
    assert.equal(await starts('all'), 7);
    assert.equal(await starts('cron'), 7);
    assert.equal(await starts('late'), 0, 'its last tick is two minutes old');
    assert.deepEqual(
      skipped
        .map(({ event }) => [event.schedule, event.reason, event.from - began, clock.now() - event.to])
        .sort(),
      [
        ['all', 'missed', SECOND, 7 * SECOND],
        ['cron', 'missed', SECOND, 7 * SECOND],
        ['late', 'missed', 5 * MINUTE, 2 * MINUTE],
        ['once', 'missed', SECOND, SECOND],
        ['skip', 'missed', SECOND, SECOND],
      ],
    );
    await clock.advance(3 * SECOND);
    await flows.planner.sweep(0);
    assert.equal(await starts('once'), 4);
  });

  test('9. a busy queue slows no tick, and a slot ticks once', async (t) => {
    const { longshore, ticks, pass } = await scene(t, '2026-01-01T00:00:00Z');
    await longshore.enqueueMany(tick, Array.from({ length: 500 }));
    await longshore.schedules.set('minutely', at('* * * * *', 'UTC'));
    for (let minute = 0; minute < 10; minute += 1) {
      await pass(MINUTE);
      await Promise.all([1, 2, 3].map(() => longshore.flows.planner.sweep(0)));
    }
    const expected = Array.from({ length: 10 }, (_, n) => textOf(Date.UTC(2026, 0, 1) + (n + 1) * MINUTE));
    assert.deepEqual(ticks(), expected);
  });

  test('10. nothing drifts: at month ends, and over a year of intervals', async (t) => {
    const { longshore, ticks, clock } = await scene(t, '2026-01-31T12:00:00Z');
    const { schedules } = longshore;
    const days = async (cron: string) =>
      (await schedules.preview(at(cron, 'UTC'), 6)).map((date) => new Date(date).toISOString().slice(5, 10));
    assert.deepEqual(await days('0 0 L * *'), ['02-28', '03-31', '04-30', '05-31', '06-30', '07-31']);
    assert.deepEqual(await days('0 0 31 * *'), ['03-31', '05-31', '07-31', '08-31', '10-31', '12-31']);
    await schedules.set('interval', { everyMs: 7 * HOUR, task: tick });
    const began = clock.now();
    for (let looks = 0; clock.now() < began + 365 * DAY; looks += 1) {
      // Looked at late, by less than a minute, each time by something else.
      const next = (await schedules.get('interval'))?.nextAt ?? 0;
      await clock.advance(next - clock.now() + ((looks * 7_919) % 59_000));
      await longshore.flows.planner.sweep(0);
    }
    const found = ticks();
    assert.equal(found.length, Math.floor((365 * DAY) / (7 * HOUR)) + 1);
    assert.equal(found.at(-1), textOf(began + found.length * 7 * HOUR));
  });
});
