import assert from 'node:assert/strict';
import { defineTask } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { Gate, onEachStore } from '../stage.ts';

onEachStore('queues are listed with their settings and counts', async ({ connect }) => {
  const longshore = await connect();
  await longshore.enqueueMany('task', [1, 2], { queue: 'b' });
  await longshore.enqueue('task', 3, { queue: 'b', delayMs: 60_000 });
  await longshore.queues.pause('a');
  const queues = await longshore.queues.list();
  assert.deepEqual(
    queues.map(({ name, pausedAt }) => [name, pausedAt !== null]),
    [
      ['a', true],
      ['b', false],
    ],
  );
  assert.deepEqual(queues[1]?.counts, {
    ...{ scheduled: 1, ready: 2, running: 0, completed: 0, failed: 0, cancelled: 0 },
  });
});

onEachStore('ageing is set for a queue, refused where it makes no sense, and ended', async ({ connect }) => {
  const { queues } = await connect();
  const ageing = { everyMs: 30_000, floor: -10 };
  assert.deepEqual((await queues.setAgeing('q', ageing)).ageing, ageing);
  assert.deepEqual((await queues.list())[0]?.ageing, ageing);
  for (const wrong of [{ ...ageing, every: 1 }, { everyMs: 5, floor: 0 }, { everyMs: 30_000 }, undefined, 7])
    await assert.rejects(queues.setAgeing('q', wrong as never), {
      code: 'OPTION_INVALID',
      message: /ageing/,
    });
  await assert.rejects(queues.setAgeing('*', ageing), { code: 'OPTION_INVALID', message: /queue is "\*"/ });
  assert.equal((await queues.setAgeing('q', null)).ageing, null);
});

onEachStore('pausing twice keeps the first time; a resume forgets it', async ({ connect }) => {
  const clock = new FakeClock();
  const longshore = await connect({ clock });
  const first = await longshore.queues.pause('q');
  assert.equal(first.pausedAt, clock.now());
  await clock.advance(1_000);
  assert.equal((await longshore.queues.pause('q')).pausedAt, first.pausedAt);
  assert.equal((await longshore.queues.resume('q')).pausedAt, null);
  assert.equal((await longshore.queues.resume('q')).pausedAt, null);
});

onEachStore(
  'drain deletes what waits; obliterate deletes everything, but running jobs only by force',
  async (stage) => {
    const longshore = await stage.connect();
    const gate = new Gate();
    const task = defineTask({
      name: 'task',
      run: ({ input }) => (input === 'slow' ? gate.wait() : undefined),
    });
    await longshore.enqueue(task, 'quick');
    const worker = longshore.worker({ tasks: [task], concurrency: 1 });
    await worker.runUntilIdle();
    const slow = await longshore.enqueue(task, 'slow');
    await worker.start();
    await gate.reached;
    await worker.stopRole('processing');
    await longshore.enqueueMany(task, [1, 2]);
    await longshore.enqueue(task, 3, { delayMs: 60_000 });
    assert.equal(await longshore.queues.drain('default'), 3);
    assert.equal((await longshore.jobs.list()).jobs.length, 2);
    await assert.rejects(longshore.queues.obliterate('default'), {
      code: 'QUEUE_BUSY',
      message: /has 1 running jobs/,
    });
    assert.equal(await longshore.queues.obliterate('default', { force: true }), 2);
    gate.open();
    await worker.stop();
    assert.equal(worker.tally.lost, 1);
    assert.equal(await longshore.jobs.get(slow.id), null);
    assert.equal(await longshore.queues.obliterate('default'), 0);
  },
);

onEachStore('retention is kept by queue, and what is beyond it goes', async ({ connect }) => {
  const clock = new FakeClock();
  const longshore = await connect({ clock });
  const { retention } = await longshore.queues.setRetention('default', {
    completed: { ageMs: 60_000, count: 2 },
  });
  assert.deepEqual(retention.completed, { ageMs: 60_000, count: 2 });
  assert.equal(retention.failed.ageMs, 90 * 86_400_000);
  const again = await longshore.queues.setRetention('default', { cancelled: { ageMs: null, count: null } });
  assert.deepEqual(again.retention.completed, { ageMs: 60_000, count: 2 });
  const task = defineTask({ name: 'task', run: () => undefined });
  await longshore.enqueueMany(task, [1, 2, 3, 4]);
  await longshore.worker({ tasks: [task] }).runUntilIdle();
  const worker = longshore.worker({ tasks: [task], roles: ['scheduling'] });
  await worker.start();
  const left = async () => (await longshore.jobs.list()).jobs.length;
  while ((await left()) > 2) await clock.advance(1_000);
  assert.equal(await left(), 2);
  while ((await left()) > 0) await clock.advance(10_000);
});

onEachStore('wrong names and bounds are refused', async ({ connect }) => {
  const { queues } = await connect();
  for (const [call, message] of [
    [() => queues.pause(''), /queue is ""/],
    [() => queues.resume(5 as never), /queue is 5/],
    [() => queues.drain(''), /queue is ""/],
    [() => queues.obliterate(''), /queue is ""/],
    [
      () => queues.setRetention('q', { completed: { ageMs: -1, count: 0 } }),
      /retention\.completed\.ageMs is -1/,
    ],
    [
      () => queues.setRetention('q', { failed: { ageMs: 1 } as never }),
      /retention\.failed\.count is undefined/,
    ],
    [
      () => queues.setRetention('q', { failed: { ageMs: 1, count: 1, bytes: -1 } }),
      /retention\.failed\.bytes is -1/,
    ],
    [
      () => queues.setRetention('q', { failed: 5 as never }),
      /retention\.failed was given 5; expected an object with ageMs/,
    ],
    [
      () => queues.setRetention('q', { done: { ageMs: 1, count: 1 } } as never),
      /retention has no option "done"/,
    ],
  ] as const) {
    await assert.rejects(async () => call(), { code: 'OPTION_INVALID', message }, message.source);
  }
  assert.deepEqual(await queues.list(), []);
});

onEachStore(
  'a bound on bytes is refused where the store cannot watch it',
  async ({ connect }) => {
    const { queues } = await connect();
    const bound = (bytes: number | null) =>
      queues.setRetention('q', { completed: { ageMs: null, count: null, bytes } });
    await assert.rejects(bound(5), {
      code: 'OPTION_INVALID',
      message: /retention\.completed\.bytes is 5.*redis: and memory: can/,
    });
    assert.equal((await bound(null)).retention.completed.bytes, null);
  },
  ['sqlite'],
);
