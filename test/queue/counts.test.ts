import assert from 'node:assert/strict';
import { defineTask } from '../../src/index.ts';
import { onEachStore } from '../stage.ts';

onEachStore('jobs are counted by state, and removed by states', async ({ connect }) => {
  const longshore = await connect();
  const run = ({ input }: { input: unknown }): void => {
    if (input === 'bad') throw new Error('bad');
  };
  const [one, other] = [defineTask({ name: 'one', attempts: 1, run }), defineTask({ name: 'other', run })];
  await longshore.enqueueMany(one, ['good', 'bad', 'good']);
  await longshore.enqueue(other, 'good', { queue: 'apart' });
  await longshore.worker({ tasks: [one, other], queues: ['default', 'apart'] }).runUntilIdle();
  await longshore.enqueueMany(one, ['good', 'good']);
  await longshore.enqueue(one, 'good', { delayMs: 1e9 });
  const none = { scheduled: 0, ready: 0, running: 0, completed: 0, failed: 0, cancelled: 0 };
  const counts = { ...none, scheduled: 1, ready: 2, completed: 2, failed: 1 };
  assert.deepEqual(await longshore.jobs.counts(), { ...counts, completed: 3 });
  assert.deepEqual(await longshore.jobs.counts({ queue: 'default' }), counts);
  assert.deepEqual(await longshore.jobs.counts({ task: 'one' }), counts);
  assert.deepEqual(await longshore.jobs.counts({ task: 'other', queue: 'default' }), none);
  const { done } = await longshore.jobs.remove({ states: ['completed', 'scheduled'] });
  assert.equal(done.length, 4);
  assert.deepEqual(await longshore.jobs.counts(), { ...none, ready: 2, failed: 1 });
  for (const selection of [{ states: [] }, { states: ['gone'] }, { states: ['failed'], state: 'failed' }])
    await assert.rejects(longshore.jobs.remove(selection as never), { code: 'OPTION_INVALID' });
});

onEachStore('a bulk action takes the jobs of a correlation id or a tag', async ({ connect }) => {
  const longshore = await connect();
  const tagged = await longshore.enqueue('task', 1, { meta: { tags: ['old'] } });
  const order = await longshore.enqueue('task', 2, { meta: { correlationId: 'order', tags: ['new'] } });
  const plain = await longshore.enqueue('task', 3);
  assert.deepEqual((await longshore.jobs.cancel({ tag: 'old' })).done, [tagged.id]);
  assert.deepEqual((await longshore.jobs.remove({ correlationId: 'order' })).done, [order.id]);
  const { jobs } = await longshore.jobs.list({ state: 'ready' });
  assert.deepEqual(
    jobs.map(({ id }) => id),
    [plain.id],
  );
});
