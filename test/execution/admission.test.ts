import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { connect, defineTask, type Longshore, type WorkerOptions } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { eventually, nextEvent, record } from '../stage.ts';
import { fine, slow, waits } from './tasks/failures.ts';

/** Runs on the event loop of this process, whatever the threads do. */
const inline = defineTask({ name: 'inline', strategy: 'async', run: ({ input }) => input });

const apart = defineTask({ name: 'apart', queue: 'apart', strategy: 'async', run: ({ input }) => input });

async function open(t: TestContext): Promise<Longshore> {
  const longshore = await connect('memory:', { workerSettings: { graceMs: 0, abortGraceMs: 50 } });
  t.after(() => longshore.close());
  return longshore;
}

function threaded(options: Partial<WorkerOptions> = {}): WorkerOptions {
  return { tasks: [waits, slow, fine, inline, apart], strategy: 'thread', threads: 2, ...options };
}

async function running(longshore: Longshore): Promise<number> {
  const queues = await longshore.queues.list();
  return queues.reduce((sum, { counts }) => sum + counts.running, 0);
}

test('jobs that wait for a thread keep no slot from jobs of other lanes', async (t) => {
  const longshore = await open(t);
  await longshore.enqueueMany(waits, new Array(50).fill(null));
  const worker = longshore.worker(threaded({ concurrency: 4 }));
  await worker.start();
  await eventually(() => worker.running === 2);
  const jobs = await longshore.enqueueMany(apart, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(await Promise.all(jobs.map((job) => job.result())), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(worker.slots, { total: 4, used: 2 });
});

test('jobs of one queue pass those in front of them that wait for a thread', async (t) => {
  const longshore = await open(t);
  await longshore.enqueueMany(waits, new Array(8).fill(null));
  const jobs = await longshore.enqueueMany(inline, [1, 2, 3]);
  await longshore.worker(threaded({ concurrency: 20 })).start();
  assert.deepEqual(await Promise.all(jobs.map((job) => job.result())), [1, 2, 3]);
  // Also one that comes when those were given back.
  await eventually(async () => (await running(longshore)) === 2);
  assert.equal(await (await longshore.enqueue(inline, 4)).result(), 4);
});

test('leases on jobs that cannot start go back, and other workers run them', async (t) => {
  const longshore = await open(t);
  const worker = longshore.worker(threaded({ concurrency: 20 }));
  await longshore.enqueueMany(waits, [null, null]);
  await worker.start();
  await eventually(() => worker.running === 2);
  const claimed = nextEvent(longshore, 'worker.claimed', (claim) => claim.jobs === 4);
  const jobs = await longshore.enqueueMany(fine, [1, 2, 3, 4]);
  await claimed;
  await eventually(async () => (await running(longshore)) === 2);
  assert.equal(worker.slots.used, 2);
  // Other settings, and so threads of its own.
  const other = longshore.worker(threaded({ recycleJobs: 1_000 }));
  await other.start();
  assert.deepEqual(await Promise.all(jobs.map((job) => job.result())), [1, 2, 3, 4]);
  assert.equal(other.tally.completed, 4);
});

test('a worker whose tasks all run in threads claims no more than those can run', async (t) => {
  const longshore = await open(t);
  const claims = record(longshore, 'worker.claimed');
  await longshore.enqueueMany(waits, new Array(50).fill(null));
  const worker = longshore.worker(threaded({ tasks: [waits], concurrency: 50 }));
  await worker.start();
  await eventually(() => worker.running === 2);
  assert.equal(await running(longshore), 2);
  assert.equal(
    claims.reduce((sum, { event }) => sum + event.jobs, 0),
    2,
  );
});

test('jobs of one lane start in their order, and each of them runs, however many wait', async (t) => {
  const longshore = await open(t);
  const started = record(longshore, 'job.started');
  const jobs = await longshore.enqueueMany(fine, [...new Array(400).keys()]);
  const inlineJobs = await longshore.enqueueMany(inline, [...new Array(400).keys()]);
  const worker = longshore.worker(threaded({ concurrency: 7 }));
  const { completed } = await worker.runUntilIdle();
  assert.equal(completed, 800);
  for (const list of [jobs, inlineJobs]) {
    const ids = new Set(list.map(({ id }) => id));
    const order = started.map(({ event }) => event.id).filter((id) => ids.has(id));
    assert.deepEqual(
      order,
      list.map(({ id }) => id),
    );
  }
  assert.deepEqual(worker.slots, { total: 7, used: 0 });
});

test('jobs of a pool are claimed as fast as it runs them, also beside a queue of another lane that is empty', async (t) => {
  // Neither the poll interval nor anything else that waits for a time helps.
  const longshore = await connect('memory:', { clock: new FakeClock() });
  t.after(() => longshore.close());
  const jobs = await longshore.enqueueMany(fine, [...new Array(100).keys()]);
  const worker = longshore.worker(threaded({ tasks: [fine, apart], concurrency: 10 }));
  await worker.start();
  await Promise.all(jobs.map((job) => job.result()));
  await worker.stop();
});

test('a queue is looked into past jobs that wait for a thread, also when nothing else happens', async (t) => {
  const longshore = await open(t);
  await longshore.enqueueMany(waits, new Array(8).fill(null));
  // Without duties nothing else gives hints, and the poll interval is too long to help.
  await longshore.worker(threaded({ concurrency: 20, roles: ['processing'], pollMs: 600_000 })).start();
  // Six wait, and go back.
  await eventually(async () => (await running(longshore)) > 2);
  await eventually(async () => (await running(longshore)) === 2);
  assert.equal(await (await longshore.enqueue(inline, 1)).result(), 1);
});

test('runOnce runs all it claims, however long they wait for a thread', async (t) => {
  const longshore = await open(t);
  await longshore.enqueueMany(slow, new Array(6).fill(150));
  const tally = await longshore.worker(threaded({ concurrency: 6 })).runOnce();
  assert.deepEqual([tally.completed, tally.released], [6, 0]);
});

test('workers that share threads take turns, and none waits for ever', async (t) => {
  const longshore = await open(t);
  const queued = (queue: string) =>
    longshore.worker(threaded({ threads: 1, queues: [queue], tasks: [slow, inline], concurrency: 4 }));
  const names = ['a', 'b', 'c'];
  const jobs = await Promise.all(
    names.map((queue) => longshore.enqueueMany(slow, new Array(5).fill(5), { queue })),
  );
  const workers = names.map(queued);
  await Promise.all(workers.map((worker) => worker.start()));
  await Promise.all(jobs.flat().map((job) => job.result()));
  await eventually(() => workers.every(({ tally }) => tally.completed === 5));
});
