import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { defineTask, VERSION, type WorkerOptions } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { eventually, Gate, nextEvent, onEachStore, record } from '../stage.ts';

const task = defineTask({ name: 'task', run: ({ input }) => input });
const tasks = [task];

onEachStore('starting twice is starting once', async ({ connect }) => {
  const longshore = await connect();
  const started = record(longshore, 'worker.started');
  const worker = longshore.worker({ tasks });
  await Promise.all([worker.start(), worker.start()]);
  await worker.start();
  assert.equal(started.length, 1);
  assert.equal((await longshore.workers()).length, 1);
  assert.equal(await (await longshore.enqueue(task, 1)).result(), 1);
});

onEachStore(
  'processing and scheduling are started, stopped and asked for separately',
  async ({ connect }) => {
    const longshore = await connect();
    const worker = longshore.worker({ tasks });
    const roles = () => ({ processing: worker.isProcessing, scheduling: worker.isScheduling });
    assert.deepEqual(roles(), { processing: false, scheduling: false });
    await worker.start({ roles: ['scheduling'] });
    assert.deepEqual(roles(), { processing: false, scheduling: true });
    const job = await longshore.enqueue(task, 'x');
    await worker.start({ roles: ['processing'] });
    assert.deepEqual(roles(), { processing: true, scheduling: true });
    assert.equal(await job.result(), 'x');
    await worker.stopRole('scheduling');
    assert.deepEqual(roles(), { processing: true, scheduling: false });
    assert.equal(await (await longshore.enqueue(task, 'y')).result(), 'y');
    await worker.stopRole('processing');
    assert.deepEqual(roles(), { processing: false, scheduling: false });
    const waiting = await longshore.enqueue(task, 'z');
    assert.equal((await longshore.workers()).length, 1);
    await worker.start();
    assert.equal(await waiting.result(), 'z');
  },
);

onEachStore('a worker made for one role starts that one only', async ({ connect }) => {
  const longshore = await connect();
  const worker = longshore.worker({ tasks, roles: ['processing'] });
  await worker.start();
  assert.equal(worker.isProcessing, true);
  assert.equal(worker.isScheduling, false);
});

onEachStore('one worker leads at a time, and another takes over when it stops', async ({ connect }) => {
  const clock = new FakeClock();
  const longshore = await connect({ clock });
  const changes = record(longshore, 'leader.changed');
  const [first, second] = [longshore.worker({ tasks }), longshore.worker({ tasks })];
  await first.start();
  await second.start();
  await eventually(() => changes.length === 1);
  await first.stop();
  await eventually(async () => {
    await clock.advance(1_000);
    return changes.length === 3;
  });
  assert.deepEqual(
    changes.map(({ event }) => event),
    [
      { workerId: first.id, leading: true },
      { workerId: first.id, leading: false },
      { workerId: second.id, leading: true },
    ],
  );
});

onEachStore('the registry says who works on what, with how many slots', async ({ connect }) => {
  const longshore = await connect();
  const gate = new Gate();
  const slow = defineTask({ name: 'slow', queue: 'films', run: () => gate.wait() });
  const worker = longshore.worker({ tasks: [slow, task], concurrency: 7, leaseMs: 500 });
  await worker.start();
  const before = Date.now();
  const job = await longshore.enqueue(slow, null);
  await gate.reached;
  await eventually(async () => (await longshore.workers())[0]?.slotsUsed === 1);
  const [record] = await longshore.workers();
  assert.ok(record);
  const { seenAt, startedAt, ...rest } = record;
  assert.deepEqual(rest, {
    id: worker.id,
    host: hostname(),
    pid: process.pid,
    version: VERSION,
    tasks: ['slow', 'task'],
    queues: ['films', 'default'],
    slots: 7,
    slotsUsed: 1,
    profiles: ['slow', 'task'].map((name) => ({
      ...{ task: name, lane: 'inline', reason: 'strategy async' },
      ...{ samples: 0, busyMs: 0, wallMs: 0 },
    })),
    running: 1,
    alive: true,
  });
  assert.ok(startedAt <= before && seenAt >= startedAt);
  gate.open();
  await job.result();
});

onEachStore('a worker that fell silent is shown as dead and forgotten after an hour', async (stage) => {
  const clock = new FakeClock();
  const longshore = await stage.connectThrough(
    (store) => ({
      keepAlive: (options) => {
        return {
          update: () => undefined,
          beat: async () => {
            const { worker, leaseMs } = options;
            await store.beat({ worker, leaseMs, load: { slots: 1, slotsUsed: 0, profiles: [] } });
          },
          close: async () => undefined,
        };
      },
    }),
    { clock },
  );
  const silent = longshore.worker({ tasks, leaseMs: 1_000, roles: ['processing'] });
  await silent.start();
  assert.equal((await longshore.workers())[0]?.alive, true);
  await clock.advance(1_000);
  assert.equal((await longshore.workers())[0]?.alive, false);
  await clock.advance(3_600_000);
  const pruned = nextEvent(longshore, 'store.pruned');
  await longshore.worker({ tasks, roles: ['scheduling'] }).start();
  await eventually(async () => {
    await clock.advance(100);
    return !(await longshore.workers()).some(({ id }) => id === silent.id);
  });
  assert.ok((await pruned).workers >= 1);
});

onEachStore('wrong options of a worker are refused by name', async ({ connect }) => {
  const longshore = await connect();
  const refused: readonly [WorkerOptions, string, RegExp][] = [
    [{ tasks, concurrency: 0 }, 'OPTION_INVALID', /concurrency is 0; expected a whole number from 1/],
    [{ tasks, concurrency: 1.5 }, 'OPTION_INVALID', /concurrency is 1\.5/],
    [{ tasks, leaseMs: 10 }, 'OPTION_INVALID', /leaseMs is 10; expected at least 500/],
    [{ tasks, pollMs: Number.NaN }, 'OPTION_INVALID', /pollMs is NaN/],
    [{ tasks, queues: [] }, 'OPTION_INVALID', /queues is an array of 0/],
    [{ tasks, queues: ['a', '*'] }, 'OPTION_INVALID', /queues\[1\] is "\*"; expected a queue's own name/],
    [
      { tasks, queues: ['a\0'] },
      'OPTION_INVALID',
      /queues\[0\] is .*; expected a name without control characters/,
    ],
    [{ tasks, queues: ['a', ''] }, 'OPTION_INVALID', /queues\[1\] is ""/],
    [{ tasks, roles: ['cooking' as 'processing'] }, 'OPTION_INVALID', /roles\[0\] is "cooking"/],
    [{ tasks: undefined as never }, 'OPTION_INVALID', /tasks is undefined; expected an array/],
    [{ tasks: [{ name: 'task' } as never] }, 'TASK_INVALID', /tasks\[0\] is an object/],
    [
      { tasks: [task, defineTask({ name: 'task', run: () => 2 })] },
      'TASK_DUPLICATE',
      /Two different tasks are named "task"/,
    ],
  ];
  for (const [options, code, message] of refused)
    assert.throws(() => longshore.worker(options), { code, message }, message.source);
  assert.doesNotThrow(() => longshore.worker({ tasks: [task, task] }));
  const worker = longshore.worker({ tasks });
  await worker.start();
  await assert.rejects(async () => worker.stop({ graceMs: -1 }), {
    code: 'OPTION_INVALID',
    message: /graceMs is -1/,
  });
  await assert.rejects(worker.start({ roles: ['cooking' as 'processing'] }), { code: 'OPTION_INVALID' });
});

onEachStore('settings come from code, then the file, then the environment', async ({ connect, t }) => {
  const saved = { ...process.env };
  t.after(() => {
    process.env = saved;
  });
  process.env = {
    ...saved,
    LONGSHORE_CONCURRENCY: '3',
    LONGSHORE_POLL_MS: '2s',
    LONGSHORE_LEASE_MS: '45s',
    LONGSHORE_QUEUES: 'a, b',
  };
  const longshore = await connect({ workerSettings: { pollMs: 500, leaseMs: 50_000 } });
  const { settings } = longshore.worker({ tasks, leaseMs: 60_000 });
  assert.equal(settings.concurrency, 3);
  assert.equal(settings.pollMs, 500);
  assert.equal(settings.leaseMs, 60_000);
  assert.deepEqual(settings.queues, ['a', 'b']);
  process.env.LONGSHORE_CONCURRENCY = 'many';
  assert.throws(() => longshore.worker({ tasks }), { message: /LONGSHORE_CONCURRENCY is "many"/ });
  process.env.LONGSHORE_CONCURRENCY = '0';
  assert.throws(() => longshore.worker({ tasks }), { message: /^LONGSHORE_CONCURRENCY is 0; expected/ });
  assert.throws(() => longshore.worker({ tasks, concurrency: -1 }), { message: /^concurrency is -1/ });
});
