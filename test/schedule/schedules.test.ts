import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { connect, defineFlow, defineTask, type Longshore, type TaskSchedule } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { advanceUntil, Gate, nextEvent, nextEvents, onEachStore, PLAN_KINDS, record } from '../stage.ts';

/** What schedules do, beside when they tick. */

const SECOND = 1_000;
const MINUTE = 60_000;
const tick = defineTask({ name: 'tick', run: () => undefined });

onEachStore(
  'a handler is told the time of its tick and the name of its schedule, by a worker that has it in code',
  async (stage) => {
    const longshore = await stage.connect();
    const told = Promise.withResolvers<unknown[]>();
    const report = defineTask({
      name: 'report',
      input: z.object({ of: z.string() }),
      run: ({ meta, input, id }) => told.resolve([meta.schedule, meta.scheduledAt, meta.tags, input, id]),
    });
    const ticked = nextEvent(longshore, 'schedule.ticked');
    const ended = nextEvent(longshore, 'job.completed');
    const spec: TaskSchedule<typeof report> = {
      everyMs: 20,
      task: report,
      input: { of: 'x' },
      meta: { tags: ['a'] },
    };
    const worker = longshore.worker({ tasks: [report], pollMs: 20, schedules: { often: spec } });
    await worker.start();
    const { scheduledAt, id, schedule, target } = await ticked;
    assert.deepEqual(await told.promise, ['often', scheduledAt, ['a'], { of: 'x' }, id]);
    assert.deepEqual([schedule, target, (await ended).id], ['often', 'report', id]);
    const shown = await longshore.schedules.get('often');
    assert.deepEqual([shown?.task, shown?.owner, shown?.input], ['report', 'code', { of: 'x' }]);
  },
  PLAN_KINDS,
);

onEachStore(
  'a flow is started by the definition it has, and its steps are told the tick',
  async (stage) => {
    const longshore = await stage.connect();
    const told = Promise.withResolvers<unknown>();
    const step = defineTask({
      name: 'step',
      run: ({ meta }) => told.resolve([meta.schedule, meta.scheduledAt]),
    });
    const flow = defineFlow({ name: 'nightly', steps: (s) => s.step('only', step) });
    await longshore.schedules.set('flow', { everyMs: 60 * MINUTE, flow, input: { a: 1 } });
    const worker = longshore.worker({ tasks: [step] });
    await worker.start();
    const { id, kind, scheduledAt } = await longshore.schedules.runNow('flow');
    assert.equal(kind, 'run');
    await longshore.flows.handle(id).result();
    assert.deepEqual(await told.promise, ['flow', scheduledAt]);
    const run = await longshore.flows.get(id);
    assert.deepEqual([run?.flow, run?.input, run?.parent], ['nightly', { a: 1 }, null]);
    // The end of the run is reported to the schedule.
    for (let ended = false; !ended; ) {
      await longshore.flows.planner.sweep(0);
      ended = (await longshore.schedules.get('flow'))?.lastEnd?.state === 'completed';
    }
    assert.deepEqual((await longshore.schedules.get('flow'))?.live, []);
  },
  PLAN_KINDS,
);

interface Scene {
  readonly longshore: Longshore;
  readonly clock: FakeClock;
  pass(ms: number): Promise<void>;
}

async function scene(t: { after(fn: () => unknown): void }): Promise<Scene> {
  const clock = new FakeClock();
  const longshore = await connect('memory:', { clock });
  t.after(() => advanceUntil(clock, longshore.close()));
  const pass = async (ms: number) => {
    await clock.advance(ms);
    await longshore.flows.planner.sweep(0);
  };
  return { longshore, clock, pass };
}

test('overlap says what a tick does while the one before runs', async (t) => {
  const { longshore, pass } = await scene(t);
  const { schedules } = longshore;
  const gates = { allow: new Gate(), skip: new Gate(), queue: new Gate(), cancel: new Gate() };
  const names = Object.keys(gates) as (keyof typeof gates)[];
  const waiter = defineTask({
    name: 'waits',
    run: async ({ meta, signal }) => {
      const gate = gates[meta.schedule as keyof typeof gates].wait();
      if (meta.schedule !== 'cancel') return gate;
      const aborted = new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason)),
      );
      return Promise.race([gate, aborted]);
    },
  });
  for (const overlap of names) await schedules.set(overlap, { everyMs: MINUTE, task: waiter, overlap });
  const worker = longshore.worker({ tasks: [waiter], concurrency: 20, roles: ['processing'] });
  await worker.start();
  const started = nextEvents(longshore, 'job.started', 5);
  const cancelled = nextEvent(longshore, 'job.cancelled');
  const skipped = record(longshore, 'schedule.skipped');
  await pass(MINUTE);
  await Promise.all(names.map((name) => gates[name].reached));
  await pass(MINUTE);
  await started;
  // A running job learns that it is cancelled by the next beat.
  await pass(20 * SECOND);
  await cancelled;
  await pass(0);
  const state = async (name: string) => {
    const found = await schedules.get(name);
    return [found?.starts, found?.live.length, found?.queuedAt !== null];
  };
  assert.deepEqual(await state('allow'), [2, 2, false]);
  assert.deepEqual(await state('skip'), [1, 1, false]);
  assert.deepEqual(await state('queue'), [1, 1, true]);
  assert.deepEqual(await state('cancel'), [2, 1, false]);
  await pass(40 * SECOND);
  assert.deepEqual(
    skipped.map(({ event }) => [event.schedule, event.reason]),
    [
      ['skip', 'overlap'],
      ['skip', 'overlap'],
      ['queue', 'overlap'],
    ],
  );
  const ends = nextEvents(longshore, 'job.completed', 2, ({ task }) => task === 'waits');
  gates.queue.open();
  gates.skip.open();
  await ends;
  await pass(0);
  const [starts, , waits] = await state('queue');
  assert.deepEqual([starts, waits], [2, false]);
  assert.deepEqual(await state('skip'), [1, 0, false]);
  gates.allow.open();
  gates.cancel.open();
});

test('a pause stops the ticks, which are not missed ones afterwards', async (t) => {
  const { longshore, pass, clock } = await scene(t);
  const { schedules } = longshore;
  await schedules.set('hourly', { cron: '@hourly', task: tick, missed: 'all', note: 'for the report' });
  await schedules.pause('hourly', { by: 'ada', note: 'until the import is done' });
  const paused = await schedules.get('hourly');
  assert.deepEqual([paused?.state, paused?.paused?.by, paused?.nextAt], ['paused', 'ada', null]);
  await pass(5 * 60 * MINUTE + MINUTE);
  // A deploy says the same, or something else: the pause stays.
  await schedules.set('hourly', { cron: '@hourly', task: tick, missed: 'all', overlap: 'skip' });
  assert.equal((await schedules.get('hourly'))?.state, 'paused');
  const start = await schedules.runNow('hourly', { by: 'eve' });
  assert.equal(start.scheduledAt, clock.now());
  await schedules.resume('hourly');
  const found = await schedules.get('hourly');
  assert.deepEqual([found?.state, found?.starts, found?.nextAt], ['active', 1, Date.UTC(2026, 0, 1, 6)]);
  assert.deepEqual(
    found?.audit.map(({ action, by }) => `${action} by ${by}`),
    ['set by api', 'pause by ada', 'set by api', 'run by eve', 'resume by api'],
  );
  await assert.rejects(schedules.pause('nobody'), { code: 'SCHEDULE_UNKNOWN' });
});

test('a backfill starts one for each tick of a span, at most so many, and keeps no tick waiting', async (t) => {
  const { longshore, pass } = await scene(t);
  const { schedules } = longshore;
  await schedules.set('daily', { cron: '@daily', task: tick, overlap: 'skip' });
  const span = { from: new Date('2025-12-01T00:00:00Z'), to: new Date('2025-12-06T00:00:00Z') };
  const first = await schedules.backfill('daily', { ...span, max: 3 });
  assert.deepEqual(
    first.starts.map(({ scheduledAt }) => new Date(scheduledAt).getUTCDate()),
    [1, 2, 3],
  );
  const rest = await schedules.backfill('daily', { ...span, from: first.nextFrom as number });
  assert.deepEqual([rest.starts.length, rest.nextFrom], [2, null]);
  const ids = [...first.starts, ...rest.starts].map(({ id }) => id);
  assert.equal(new Set(ids).size, 5);
  assert.equal((await longshore.jobs.list({ task: 'tick' })).jobs.length, 5);
  await pass(24 * 60 * MINUTE);
  assert.equal((await schedules.get('daily'))?.starts, 6);
  await assert.rejects(schedules.backfill('daily', { from: span.to, to: span.from }), {
    code: 'OPTION_INVALID',
  });
});

test('one single time ticks once, and is kept for a while; start and end bound the others', async (t) => {
  const { longshore, pass, clock } = await scene(t);
  const { schedules } = longshore;
  const now = clock.now();
  await schedules.set('once', { at: now + MINUTE, task: tick });
  await schedules.set('bounded', {
    everyMs: MINUTE,
    start: now + 5 * MINUTE,
    end: now + 8 * MINUTE,
    task: tick,
  });
  for (let minute = 0; minute < 12; minute += 1) await pass(MINUTE);
  const starts = async (name: string) => {
    const found = await schedules.get(name);
    return [found?.state, found?.starts];
  };
  assert.deepEqual(await starts('once'), ['ended', 1]);
  assert.deepEqual(await starts('bounded'), ['ended', 3]);
  assert.equal(await schedules.set('once', { at: now + MINUTE, task: tick }), 'unchanged');
  assert.equal(await schedules.set('once', { at: clock.now() + MINUTE, task: tick }), 'changed');
  await pass(MINUTE);
  assert.deepEqual(await starts('once'), ['ended', 2]);
});

test('jitter delays jobs, the same one always by the same', async (t) => {
  const { longshore, pass, clock } = await scene(t);
  for (let n = 0; n < 20; n += 1)
    await longshore.schedules.set(`s${n}`, { cron: '* * * * *', task: tick, jitterMs: 10 * SECOND });
  await pass(MINUTE);
  const { jobs } = await longshore.jobs.list({ task: 'tick' });
  const delays = jobs.map(({ dueAt }) => dueAt - clock.now());
  assert.equal(jobs.length, 20);
  assert.ok(delays.every((delay) => delay >= 0 && delay < 10 * SECOND));
  assert.ok(new Set(delays).size > 10);
});

test('what cannot be is refused, and says why', async (t) => {
  const { longshore, clock } = await scene(t);
  const { schedules } = longshore;
  const typed = defineTask({ name: 'typed', input: z.object({ a: z.number() }), run: () => 1 });
  const bad: readonly (readonly [object, RegExp])[] = [
    [{ task: tick }, /exactly one of cron, everyMs and at; it has none/],
    [{ task: tick, cron: '@daily', everyMs: 5 }, /it has cron and everyMs/],
    [{ cron: '@daily' }, /^task is undefined.*or a flow/],
    [{ task: tick, cron: '0 0 30 2 *' }, /^cron is .*never does/],
    [{ task: tick, cron: '0 0 31 4,6,9,11 *' }, /never does/],
    [{ task: tick, cron: '61 * * * *' }, /^cron is .*minute/],
    [{ task: tick, cron: '* * * *' }, /five fields/],
    [{ task: tick, cron: '0 0 0 1 1 * 2030' }, /five fields/],
    [{ task: tick, cron: '2030-01-01T00:00:00' }, /five fields/],
    [{ task: tick, cron: '@sometimes' }, /^cron is/],
    [{ task: tick, cron: '@daily', zone: 'Mars/Olympus' }, /^zone is .*IANA/],
    [{ task: tick, cron: '@daily', zone: '+02:00' }, /^zone is .*IANA/],
    [{ task: tick, everyMs: 5, zone: 'UTC' }, /^zone is .*left out/],
    [{ task: tick, everyMs: 0 }, /^everyMs is 0/],
    [{ task: tick, everyMs: Number.NaN }, /^everyMs is NaN/],
    [{ task: tick, everyMs: -1 }, /^everyMs is -1/],
    [{ task: tick, at: clock.now() }, /^at is .*to come/],
    [{ task: tick, at: new Date(Number.NaN) }, /^at is/],
    [{ task: tick, cron: '@daily', end: clock.now() - 1 }, /^end is/],
    [{ task: tick, cron: '@daily', start: 5, end: 5 }, /^end is .*after start/],
    [{ task: tick, cron: '@daily', overlap: 'maybe' }, /^overlap is "maybe"/],
    [{ task: tick, cron: '@daily', missed: 'some' }, /^missed is "some"/],
    [{ task: tick, cron: '@daily', missedMax: 0 }, /^missedMax is 0/],
    [{ task: tick, cron: '@daily', every: 5 }, /no option "every"; did you mean "everyMs"/],
    [{ flow: {}, cron: '@daily', queue: 'q' }, /no option "queue"/],
    [{ flow: {}, cron: '@daily' }, /expected what defineFlow/],
    [{ task: typed, cron: '@daily', input: { a: 'x' } }, /INPUT_INVALID|input/],
    [{ task: tick, cron: '@daily', input: 1n }, /bigint/],
  ];
  for (const [spec, message] of bad) {
    const fault = await schedules.set('bad', spec as never).catch((error: Error) => error);
    assert.ok(fault instanceof Error, JSON.stringify(Object.keys(spec)));
    assert.match(fault.message, message);
  }
  assert.equal(await schedules.get('bad'), null);
  await assert.rejects(
    schedules.upsertAll('app', { bad: { task: tick, everyMs: 0 } }),
    /^LongshoreError: Schedule "bad": everyMs/,
  );
  // In a deploy, what is over is no error.
  const over = { over: { task: tick, at: clock.now() - 1 }, past: { task: tick, cron: '@daily', end: 5 } };
  assert.deepEqual((await schedules.upsertAll('app', over)).created, ['over', 'past']);
  assert.equal((await schedules.get('over'))?.state, 'ended');
});

test('what is the same stays untouched, also with encrypted inputs and intervals', async (t) => {
  const clock = new FakeClock();
  const key = { id: 'k', key: Buffer.alloc(32, 7) };
  const longshore = await connect('memory:', { clock, encryption: { keys: [key] } });
  t.after(() => longshore.close());
  const { schedules } = longshore;
  const spec = { everyMs: MINUTE, task: tick, input: { b: 1, a: [2] } };
  assert.equal(await schedules.set('x', spec), 'created');
  await clock.advance(10 * SECOND);
  assert.equal(await schedules.set('x', { ...spec, input: { a: [2], b: 1 } }), 'unchanged');
  assert.equal(await schedules.set('x', { ...spec, input: { a: [3], b: 1 } }), 'changed');
  // An edit that leaves the ticks alone does not move them.
  assert.equal((await schedules.get('x'))?.nextAt, clock.now() + 50 * SECOND);
  assert.equal(await schedules.set('x', { ...spec, everyMs: 2 * MINUTE }), 'changed');
  assert.equal((await schedules.get('x'))?.nextAt, clock.now() + 2 * MINUTE);
});

test('encrypted inputs are sealed for the schedule, and then for each job and run', async (t) => {
  const keys = [{ id: 'k', key: Buffer.alloc(32, 7) }];
  const longshore = await connect('memory:', { encryption: { keys } });
  t.after(() => longshore.close());
  const { schedules } = longshore;
  const seen: unknown[] = [];
  const task = defineTask({ name: 'task', run: ({ input }) => void seen.push(input) });
  const flow = defineFlow({ name: 'flow', steps: (s) => s.step('a', task, { input: ({ run }) => run }) });
  await schedules.set('jobs', { everyMs: MINUTE, task, input: { secret: 1 } });
  await schedules.set('runs', { everyMs: MINUTE, flow, input: { secret: 2 } });
  assert.deepEqual((await schedules.get('jobs'))?.input, { secret: 1 });
  const { id } = await schedules.runNow('jobs');
  const run = await schedules.runNow('runs');
  const worker = longshore.worker({ tasks: [task] });
  await worker.start();
  await longshore.jobs.handle(id).result();
  await longshore.flows.handle(run.id).result();
  assert.deepEqual(seen, [{ secret: 1 }, { secret: 2 }]);
});

test('a tick later than a Date can hold is none', async (t) => {
  const longshore = await connect('memory:');
  t.after(() => longshore.close());
  const last = 8_640_000_000_000_000;
  assert.deepEqual(await longshore.schedules.preview({ everyMs: 60_000 }, 3, { from: last - 1 }), []);
  assert.deepEqual(await longshore.schedules.preview({ at: last }, 3), [last]);
});
