import assert from 'node:assert/strict';
import { defineTask, type EventName } from '../../src/index.ts';
import type { Store } from '../../src/store/store.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { onEachStore, record } from '../stage.ts';

const ENDS = ['job.completed', 'job.failed', 'job.cancelled'] as const satisfies EventName[];

const task = defineTask({
  name: 'task',
  attempts: 1,
  run: ({ input }) => {
    if (input === 'fail') throw new Error('no');
  },
});

onEachStore(
  'a job that is cancelled before it starts has its event, with who did it',
  async ({ connect }) => {
    const longshore = await connect();
    const ends = record(longshore, ...ENDS);
    const ready = await longshore.enqueue(task, null);
    const scheduled = await longshore.enqueue(task, null, { delayMs: 60_000, queue: 'later' });
    await longshore.jobs.cancel(ready.id, { by: 'ada' });
    await longshore.jobs.cancel({ queue: 'later' });
    await longshore.jobs.cancel(ready.id);
    const facts = { task: 'task', attempt: 0, waitMs: 0, runMs: 0 };
    assert.deepEqual(ends, [
      {
        name: 'job.cancelled',
        event: { id: ready.id, correlationId: ready.id, queue: 'default', ...facts, by: 'ada' },
      },
      {
        name: 'job.cancelled',
        event: { id: scheduled.id, correlationId: scheduled.id, queue: 'later', ...facts, by: 'api' },
      },
    ]);
  },
);

onEachStore('a job that its queue does not keep has its event when it is cancelled', async ({ connect }) => {
  const longshore = await connect();
  await longshore.queues.setRetention('default', { cancelled: { ageMs: 0, count: null } });
  const ends = record(longshore, ...ENDS);
  const { id } = await longshore.enqueue(task, null);
  await longshore.jobs.cancel(id);
  assert.equal(await longshore.jobs.get(id), null);
  assert.deepEqual(
    ends.map(({ name, event }) => [name, event.id]),
    [['job.cancelled', id]],
  );
});

onEachStore('a failed job that is resolved by hand has the event of a completed one', async ({ connect }) => {
  const longshore = await connect();
  const { id } = await longshore.enqueue(task, 'fail');
  await longshore.worker({ tasks: [task] }).runUntilIdle();
  const ends = record(longshore, ...ENDS);
  await longshore.jobs.redrive(id);
  await longshore.worker({ tasks: [task] }).runUntilIdle();
  await longshore.jobs.resolve(id, 'by hand', { by: 'ada' });
  await longshore.jobs.remove(id);
  assert.deepEqual(
    ends.map(({ name, event }) => [name, event.attempt, 'by' in event ? event.by : null]),
    [
      ['job.failed', 1, null],
      ['job.completed', 1, 'ada'],
    ],
  );
});

onEachStore('jobs that end as their lease is taken back have their events', async ({ connectThrough }) => {
  const clock = new FakeClock();
  const opened: Store[] = [];
  const longshore = await connectThrough(
    (store) => {
      opened.push(store);
      return {};
    },
    { clock },
  );
  const [{ id: cancelled = '' } = {}, { id: failed = '' } = {}] = await longshore.enqueueMany(task, [1, 2]);
  await opened[0]?.claim({ workerId: 'silent', queues: ['default'], limit: 2, leaseMs: 1_000 });
  await longshore.jobs.cancel(cancelled);
  await clock.advance(1_000);
  const ends = record(longshore, ...ENDS);
  await longshore.worker({ tasks: [task], crashesMax: 1 }).runUntilIdle();
  assert.deepEqual(
    ends.map(({ name, event }) => [name, event.id, event.attempt]),
    [
      ['job.cancelled', cancelled, 1],
      ['job.failed', failed, 1],
    ],
  );
});

onEachStore('what clears a queue is told once, with how many jobs it deleted', async ({ connect }) => {
  const longshore = await connect();
  const seen = record(longshore, 'queue.cleared', ...ENDS);
  await longshore.enqueueMany(task, [1, 2, 3]);
  await longshore.queues.drain('default');
  await longshore.queues.obliterate('default');
  assert.deepEqual(
    seen.map(({ name, event }) => [name, 'jobs' in event ? event.jobs : null]),
    [
      ['queue.cleared', 3],
      ['queue.cleared', 0],
    ],
  );
});
