import assert from 'node:assert/strict';
import { defineTask, type JobContext, type LongshoreError } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { eventually, Gate, nextEvent, onEachStore, SHARED_KINDS } from '../stage.ts';
import { heldBehindSlow, SLOW } from './held-jobs.ts';

const untilAborted = defineTask({
  name: 'until-aborted',
  attempts: 3,
  run: ({ signal }: JobContext<unknown>) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
});

onEachStore('a waiting job is cancelled at once and never runs', async ({ connect }) => {
  const longshore = await connect();
  const task = defineTask({ name: 'task', run: () => assert.fail('it ran') });
  const ready = await longshore.enqueue(task, null);
  const scheduled = await longshore.enqueue(task, null, { delayMs: 60_000 });
  const report = await longshore.jobs.cancel([ready.id, scheduled.id]);
  assert.deepEqual([report.done, report.requested], [[ready.id, scheduled.id], []]);
  const tally = await longshore.worker({ tasks: [task] }).runUntilIdle();
  assert.equal(tally.completed + tally.failed, 0);
  await assert.rejects(ready.result(), { code: 'JOB_CANCELLED' });
  assert.equal((await scheduled.ended()).state, 'cancelled');
});

onEachStore(
  'a running job sees its signal abort long before the next beat, and is not retried',
  async (stage) => {
    const longshore = await stage.connect();
    const worker = longshore.worker({ tasks: [untilAborted], leaseMs: 3_600_000 });
    await worker.start();
    const started = nextEvent(longshore, 'job.started');
    const job = await longshore.enqueue(untilAborted, null);
    await started;
    const cancelled = nextEvent(longshore, 'job.cancelled');
    const report = await longshore.jobs.cancel(job.id, { by: 'ada', why: 'wrong file' });
    assert.deepEqual(report, { done: [], requested: [job.id], refused: [], unknown: [] });
    assert.equal((await cancelled).id, job.id);
    const ended = await longshore.jobs.get(job.id);
    assert.equal(ended?.state, 'cancelled');
    assert.deepEqual(ended?.errors, []);
    assert.deepEqual(
      ended?.audit.map(({ action, by, why, from, to }) => ({ action, by, why, from, to })),
      [{ action: 'cancel', by: 'ada', why: 'wrong file', from: 'running', to: 'running' }],
    );
  },
);

onEachStore('the reason of the abort says that the job was cancelled', async ({ connect }) => {
  const longshore = await connect();
  const reason = Promise.withResolvers<LongshoreError>();
  const task = defineTask({
    name: 'ask',
    run: async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      reason.resolve(signal.reason);
      throw new Error('stopped half way');
    },
  });
  await longshore.worker({ tasks: [task] }).start();
  const started = nextEvent(longshore, 'job.started');
  const job = await longshore.enqueue(task, null);
  await started;
  await longshore.jobs.cancel(job.id);
  assert.equal((await reason.promise).code, 'JOB_CANCELLED');
  assert.equal((await job.ended()).state, 'cancelled');
});

onEachStore(
  'a running job is cancelled from another connection',
  async ({ connect }) => {
    const [here, there] = [await connect(), await connect()];
    await here.worker({ tasks: [untilAborted], leaseMs: 3_600_000 }).start();
    const started = nextEvent(here, 'job.started');
    const job = await there.enqueue(untilAborted, null);
    await started;
    await there.jobs.cancel(job.id);
    await assert.rejects(job.result(), { code: 'JOB_CANCELLED' });
  },
  SHARED_KINDS,
);

onEachStore('without any hint, a beat brings the cancellation', async ({ connectThrough }) => {
  const clock = new FakeClock();
  const longshore = await connectThrough(() => ({ notifier: SILENT }), { clock });
  const worker = longshore.worker({ tasks: [untilAborted], leaseMs: 30_000, pollMs: 1_000 });
  const started = nextEvent(longshore, 'job.started');
  const job = await longshore.enqueue(untilAborted, null);
  await worker.start();
  await started;
  await longshore.jobs.cancel(job.id);
  const cancelled = nextEvent(longshore, 'job.cancelled');
  await clock.advance(10_000);
  assert.equal((await cancelled).id, job.id);
});

onEachStore('a handler that returns in spite of the cancellation is completed', async ({ connect }) => {
  const longshore = await connect();
  const gate = new Gate();
  const task = defineTask({
    name: 'finish-anyway',
    run: async ({ signal }) => {
      await gate.wait();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return 'done';
    },
  });
  gate.open();
  await longshore.worker({ tasks: [task] }).start();
  const job = await longshore.enqueue(task, null);
  await gate.reached;
  await longshore.jobs.cancel(job.id);
  assert.equal(await job.result(), 'done');
});

onEachStore('a cancelled handler that does not stop is abandoned after the grace', async ({ connect }) => {
  const clock = new FakeClock();
  const longshore = await connect({ clock });
  const gate = new Gate();
  const task = defineTask({ name: 'deaf', run: () => gate.wait() });
  const worker = longshore.worker({ tasks: [task], concurrency: 1, abortGraceMs: 5_000 });
  await worker.start();
  const job = await longshore.enqueue(task, null);
  await gate.reached;
  const abandoned = nextEvent(longshore, 'job.abandoned');
  await longshore.jobs.cancel(job.id);
  await eventually(async () => {
    await clock.advance(1_000);
    return worker.running === 0;
  });
  assert.equal((await abandoned).reason, 'JOB_CANCELLED');
  assert.equal((await longshore.jobs.handle(job.id).ended()).state, 'cancelled');
  gate.open();
});

onEachStore('a cancelled job that waits for a slot in the worker never runs', async ({ t, connect }) => {
  const longshore = await connect({ clock: new FakeClock() });
  const held = await heldBehindSlow(t, longshore, { behind: ['one', 'other'] });
  const ids = ['one', 'other'].map(held.id);
  const report = await longshore.jobs.cancel(ids);
  assert.deepEqual(report.requested, ids);
  await Promise.all(
    ids.map((id) => assert.rejects(longshore.jobs.handle(id).result(), { code: 'JOB_CANCELLED' })),
  );
  held.gate.open();
  await held.worker.stop();
  assert.deepEqual(held.ran, ['quick', SLOW]);
});

const SILENT = { crossProcess: false, subscribe: () => () => undefined };
