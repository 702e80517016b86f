import assert from 'node:assert/strict';
import { defineTask } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { advanceUntil, eventually, nextEvent, onEachStore, record } from '../stage.ts';

const nothing = defineTask({ name: 'nothing', run: () => undefined });

onEachStore('the leader ages what waits, and nothing while no queue has ageing', async ({ connect }) => {
  const clock = new FakeClock();
  const longshore = await connect({ clock });
  const { id } = await longshore.enqueue('slow', null, { queue: 'mail', priority: 2 });
  const calls = record(longshore, 'store.called');
  const looks = () => calls.filter(({ event }) => event.verb === 'age').length;
  await longshore.worker({ tasks: [nothing], roles: ['scheduling'] }).start();
  const priority = async () => (await longshore.jobs.get(id))?.priority;

  const after = (ms: number, holds: () => boolean | Promise<boolean>) =>
    eventually(async () => {
      await clock.advance(ms);
      return holds();
    });

  await after(1_000, () => looks() > 0);
  await clock.advance(20_000);
  assert.deepEqual([looks(), await priority()], [1, 2], 'one look in half a minute');

  await longshore.queues.setAgeing('mail', { everyMs: 2_000, floor: 0 });
  for (const expected of [1, 0]) await after(500, async () => (await priority()) === expected);
  await clock.advance(10_000);
  assert.equal(await priority(), 0);
});

onEachStore('an aged job runs before newer ones of its old priority', async ({ connect }) => {
  const clock = new FakeClock();
  const longshore = await connect({ clock });
  await longshore.queues.setAgeing('default', { everyMs: 1_000, floor: -5 });
  const old = await longshore.enqueue(nothing, null, { priority: 1 });
  const keeper = longshore.worker({ tasks: [nothing], roles: ['scheduling'] });
  await keeper.start();
  await eventually(async () => {
    await clock.advance(250);
    return ((await longshore.jobs.get(old.id))?.priority ?? 1) < 0;
  });
  await keeper.stop();
  const young = await longshore.enqueue(nothing, null);
  const started = record(longshore, 'job.started');
  const ended = nextEvent(longshore, 'worker.stopped');
  await longshore.worker({ tasks: [nothing], serial: true }).runUntilIdle();
  await advanceUntil(clock, ended);
  assert.deepEqual(
    started.map(({ event }) => event.id),
    [old.id, young.id],
  );
});
