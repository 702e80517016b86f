import assert from 'node:assert/strict';
import { defineTask, LongshoreError } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { advanceUntil, eventually, Gate, nextEvent, onEachStore, record } from '../stage.ts';
import { heldBehindSlow, SLOW } from './held-jobs.ts';

onEachStore('stop waits for running jobs and takes no new ones', async ({ connect }) => {
  const longshore = await connect();
  const gate = new Gate();
  const task = defineTask({ name: 'task', run: () => gate.wait() });
  const worker = longshore.worker({ tasks: [task], concurrency: 1, graceMs: 3_600_000 });
  await worker.start();
  const running = await longshore.enqueue(task, null);
  await gate.reached;
  const waiting = await longshore.enqueue(task, null);
  const stopped = worker.stop();
  gate.open();
  await stopped;
  assert.equal((await longshore.jobs.get(running.id))?.state, 'completed');
  assert.equal((await longshore.jobs.get(waiting.id))?.state, 'ready');
  assert.equal(worker.isProcessing, false);
  assert.equal(worker.isScheduling, false);
  assert.deepEqual(await longshore.workers(), []);
});

onEachStore('stop gives back what was claimed but not started, uncharged', async ({ t, connect }) => {
  const longshore = await connect({ clock: new FakeClock() });
  const behind = ['b', 'c', 'd'];
  const held = await heldBehindSlow(t, longshore, { behind });
  const stopped = nextEvent(longshore, 'worker.stopped');
  const stopping = held.worker.stop({ graceMs: 3_600_000 });
  await eventually(async () => {
    const states = await held.states();
    return states[SLOW] === 'running' && behind.every((input) => states[input] === 'ready');
  });
  held.gate.open();
  await stopping;
  const { released, aborted } = await stopped;
  assert.deepEqual([released, aborted], [behind.length, 0]);
  for (const input of behind) {
    const job = await longshore.jobs.get(held.id(input));
    assert.deepEqual({ state: job?.state, attempt: job?.attempt }, { state: 'ready', attempt: 0 });
  }
});

onEachStore(
  'after the grace, stop aborts; a job that heeds it goes back to the line uncharged',
  async (stage) => {
    const clock = new FakeClock();
    const longshore = await stage.connect({ clock });
    const reason = Promise.withResolvers<LongshoreError>();
    const reached = Promise.withResolvers<void>();
    const task = defineTask({
      name: 'task',
      run: ({ signal }) => {
        reached.resolve();
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            reason.resolve(signal.reason);
            reject(signal.reason);
          });
        });
      },
    });
    const worker = longshore.worker({ tasks: [task] });
    await worker.start();
    const job = await longshore.enqueue(task, null);
    await reached.promise;
    const stopped = nextEvent(longshore, 'worker.stopped');
    const stopping = worker.stop({ graceMs: 10_000 });
    await advanceUntil(clock, reason.promise);
    await advanceUntil(clock, stopping);
    assert.equal((await stopped).aborted, 1);
    const after = await longshore.jobs.get(job.id);
    assert.deepEqual({ state: after?.state, attempt: after?.attempt }, { state: 'ready', attempt: 0 });
    assert.deepEqual(after?.errors, []);
  },
);

onEachStore(
  'a handler that ignores the abort is given up, and its job goes back to the line',
  async (stage) => {
    const clock = new FakeClock();
    const longshore = await stage.connect({ clock });
    const gate = new Gate();
    const task = defineTask({ name: 'deaf', run: () => gate.wait() });
    const worker = longshore.worker({ tasks: [task], abortGraceMs: 1_000 });
    await worker.start();
    const job = await longshore.enqueue(task, null);
    await gate.reached;
    const abandoned = nextEvent(longshore, 'job.abandoned');
    await advanceUntil(clock, worker.stop({ graceMs: 500 }));
    assert.equal((await abandoned).id, job.id);
    const after = await longshore.jobs.get(job.id);
    assert.deepEqual({ state: after?.state, attempt: after?.attempt }, { state: 'ready', attempt: 0 });
    gate.open();
  },
);

onEachStore('stop is idempotent: before start, twice at once, and afterwards', async ({ connect }) => {
  const longshore = await connect();
  const task = defineTask({ name: 'task', run: () => undefined });
  const worker = longshore.worker({ tasks: [task] });
  await worker.stop();
  await worker.start();
  const seen = record(longshore, 'worker.stopped');
  await Promise.all([worker.stop(), worker.stop(), worker.stop({ graceMs: 0 })]);
  await worker.stop();
  assert.equal(seen.length, 1);
});

onEachStore('a worker can be started again after a stop', async ({ connect }) => {
  const longshore = await connect();
  const task = defineTask({ name: 'task', run: ({ input }) => input });
  const worker = longshore.worker({ tasks: [task] });
  for (const round of [1, 2, 3]) {
    await worker.start();
    assert.equal(await (await longshore.enqueue(task, round)).result(), round);
    await worker.stop();
  }
  assert.equal(worker.tally.completed, 3);
});

onEachStore('a stop during the start leaves nothing running', async ({ connect }) => {
  const longshore = await connect();
  const task = defineTask({ name: 'task', run: () => undefined });
  const worker = longshore.worker({ tasks: [task] });
  const starting = worker.start();
  await worker.stop();
  await starting;
  assert.equal(worker.isProcessing, false);
  assert.equal(worker.isScheduling, false);
  const job = await longshore.enqueue(task, null);
  assert.deepEqual(await longshore.workers(), []);
  const other = longshore.worker({ tasks: [task] });
  const leading = nextEvent(longshore, 'leader.changed', ({ workerId }) => workerId === other.id);
  await other.start();
  assert.equal((await leading).leading, true);
  await job.result();
});

onEachStore('a start during the stop waits for it', async ({ connect }) => {
  const longshore = await connect();
  const task = defineTask({ name: 'task', run: () => 'ran' });
  const worker = longshore.worker({ tasks: [task] });
  await worker.start();
  const stopping = worker.stop();
  await worker.start();
  await stopping;
  assert.equal(worker.isProcessing, true);
  assert.equal(await (await longshore.enqueue(task, null)).result(), 'ran');
});

onEachStore('disposing of a worker, as `await using` does, stops it', async ({ connect }) => {
  const longshore = await connect();
  const task = defineTask({ name: 'task', run: () => undefined });
  const stopped = nextEvent(longshore, 'worker.stopped');
  const worker = longshore.worker({ tasks: [task] });
  await worker.start();
  await worker[Symbol.asyncDispose]();
  await stopped;
  assert.deepEqual(await longshore.workers(), []);
});

onEachStore('stop ends although the store takes nothing any more', async ({ connectThrough }) => {
  const clock = new FakeClock();
  let away = false;
  const unlessAway =
    <Args extends unknown[], Result>(verb: (...args: Args) => Promise<Result>) =>
    (...args: Args): Promise<Result> =>
      away
        ? Promise.reject(new LongshoreError('STORE_UNAVAILABLE', 'The disk was pulled out.'))
        : verb(...args);
  const longshore = await connectThrough(
    (store) => ({
      settle: unlessAway(store.settle.bind(store)),
      claim: unlessAway(store.claim.bind(store)),
      retire: unlessAway(store.retire.bind(store)),
      beat: unlessAway(store.beat.bind(store)),
      annotate: unlessAway(store.annotate.bind(store)),
    }),
    { clock },
  );
  const gate = new Gate();
  const task = defineTask({ name: 'task', run: () => gate.wait() });
  const worker = longshore.worker({ tasks: [task] });
  await worker.start();
  const job = await longshore.enqueue(task, null);
  await gate.reached;
  away = true;
  gate.open();
  const failures = record(longshore, 'store.failed');
  await advanceUntil(clock, worker.stop({ graceMs: 1_000 }));
  assert.ok(failures.some(({ event }) => event.verb === 'settle'));
  assert.ok(failures.some(({ event }) => event.verb === 'retire' && event.retryMs === null));
  assert.equal(worker.running, 0);
  away = false;
  assert.equal((await longshore.jobs.get(job.id))?.state, 'running');
  await clock.advance(60_000);
  await longshore.worker({ tasks: [task] }).runUntilIdle();
  assert.equal((await longshore.jobs.get(job.id))?.state, 'completed');
});
