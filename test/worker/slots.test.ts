import assert from 'node:assert/strict';
import { defineTask, SnoozeError, UnrecoverableError } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { Prefetch } from '../../src/worker/prefetch.ts';
import { eventually, Gate, nextEvent, onEachStore, record } from '../stage.ts';

onEachStore(
  'after 1,000 mixed outcomes every slot is free again and every job has ended',
  async ({ connect }) => {
    const longshore = await connect();
    const snoozed = new Set<string>();
    const task = defineTask({
      name: 'mixed',
      attempts: 2,
      backoff: 0,
      timeoutMs: 60_000,
      run: async ({ input, id, attempt, progress, signal }) => {
        const number = input as number;
        if (number % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
        switch (number % 8) {
          case 0:
            return { number };
          case 1:
            throw new Error('retried, then failed');
          case 2:
            throw new UnrecoverableError('failed');
          case 3:
            if (attempt === 1) throw new Error('retried, then completed');
            return number;
          case 4:
            if (!snoozed.has(id)) {
              snoozed.add(id);
              throw new SnoozeError(0);
            }
            return signal.aborted;
          case 5:
            progress(number);
            return undefined;
          case 6:
            return () => 'not JSON';
          default:
            throw undefined;
        }
      },
    });
    await longshore.enqueueMany(
      task,
      Array.from({ length: 1_000 }, (_, index) => index),
    );
    const worker = longshore.worker({ tasks: [task], concurrency: 16 });
    // On a machine so busy that jobs wait here for 100 ms some may go back, uncharged, and run later.
    const { released: _, ...tally } = await worker.runUntilIdle();
    assert.deepEqual(tally, {
      completed: 500,
      failed: 500,
      retried: 375,
      snoozed: 125,
      cancelled: 0,
      lost: 0,
    });
    assert.equal(worker.running, 0);
    // All slots are there: as many jobs as there are slots run at the same time.
    const gate = new Gate();
    let inside = 0;
    const full = defineTask({
      name: 'full',
      run: async () => {
        inside += 1;
        await gate.wait();
      },
    });
    await longshore.enqueueMany(full, new Array(20).fill(null));
    const again = longshore.worker({ tasks: [full], concurrency: 16 });
    const done = again.runUntilIdle();
    await eventually(() => inside === 16);
    assert.equal(again.running, 16);
    gate.open();
    assert.equal((await done).completed, 20);
  },
);

onEachStore('a worker never holds more jobs at hand than its slots and its prefetch', async ({ connect }) => {
  // By its own clock no job waits for so long that it goes back.
  const longshore = await connect({ clock: new FakeClock() });
  const prefetchMax = 25;
  const concurrency = 4;
  let most = 0;
  let atHand = 0;
  const task = defineTask({
    name: 'quick',
    run: () => {
      atHand -= 1;
    },
  });
  longshore.on('worker.claimed', ({ jobs }) => {
    atHand += jobs;
    most = Math.max(most, atHand);
  });
  await longshore.enqueueMany(task, new Array(3_000).fill(null));
  const worker = longshore.worker({ tasks: [task], concurrency, prefetchMax });
  assert.equal((await worker.runUntilIdle()).completed, 3_000);
  assert.ok(most <= concurrency + prefetchMax, `it held ${most} at once`);
  assert.equal(atHand, 0);
});

onEachStore('slow jobs are never hoarded: a worker holds no more than it runs', async ({ connect }) => {
  const longshore = await connect();
  const gates: Gate[] = [];
  const task = defineTask({
    name: 'slow',
    run: async () => {
      const gate = new Gate();
      gates.push(gate);
      await gate.wait();
    },
  });
  await longshore.enqueueMany(task, new Array(12).fill(null));
  const worker = longshore.worker({ tasks: [task], concurrency: 3 });
  await worker.start();
  await eventually(() => gates.length === 3);
  const settled = nextEvent(longshore, 'worker.settled');
  const claims = record(longshore, 'worker.claimed');
  // Long enough for the measured run time to exceed any round trip seen here: the claim is what takes long.
  await longshore.queues.list();
  const { counts } = (await longshore.queues.list())[0] ?? assert.fail('no queue');
  assert.equal(counts.running, 3);
  gates[0]?.open();
  await settled;
  await eventually(() => gates.length === 4);
  assert.ok(claims.every(({ event }) => event.jobs <= 12));
  for (const gate of gates) gate.open();
  await eventually(() => {
    for (const gate of gates) gate.open();
    return worker.tally.completed === 12;
  });
});

onEachStore('slow jobs get no prefetch, quick ones that are slower than a claim one', async () => {
  const prefetch = new Prefetch(500);
  assert.equal(prefetch.size(10), 0, 'nothing is known yet');
  for (let times = 0; times < 50; times += 1) {
    prefetch.observeClaim(2);
    prefetch.observeRun(150);
  }
  assert.equal(prefetch.size(10), 0);
  for (let times = 0; times < 200; times += 1) prefetch.observeRun(45);
  assert.equal(prefetch.size(2), 0, 'there may be no more, or no more may run');
  for (let claims = 0; claims < 10; claims += 1) prefetch.observeFull(true);
  assert.equal(prefetch.size(2), 1, 'no slot waits for a claim after each job');
  prefetch.observeFull(false);
  assert.equal(prefetch.size(2), 0);
  assert.equal(new Prefetch(0).size(2), 0);
  for (let times = 0; times < 200; times += 1) prefetch.observeRun(0.01);
  assert.ok(prefetch.size(10) > 0);
  assert.ok(prefetch.size(100_000) <= 500);
  for (let times = 0; times < 200; times += 1) prefetch.observeRun(10_000);
  assert.equal(prefetch.size(10), 0);
  assert.equal(new Prefetch(0).size(10), 0);
}, ['memory']);

onEachStore('after a stall nothing is held until a job has ended, however many slots there are', async () => {
  const prefetch = new Prefetch(1_000);
  prefetch.observeClaim(20);
  prefetch.observeRun(5);
  assert.ok(prefetch.size(100) > 0);
  prefetch.observeStall();
  assert.equal(prefetch.size(1), 0);
  assert.equal(prefetch.size(1_000), 0);
  prefetch.observeRun(5);
  assert.ok(prefetch.size(100) > 0);
}, ['memory']);

onEachStore('large inputs are not held ready by the hundred', async () => {
  const prefetch = new Prefetch(1_000);
  for (let times = 0; times < 200; times += 1) prefetch.observeRun(0.01);
  prefetch.observeClaim(5, 20);
  assert.equal(prefetch.size(100), 1_000);
  prefetch.observeClaim(5, 1_048_576);
  assert.equal(prefetch.size(100), 32, '32 MB of inputs of 1 MB');
}, ['memory']);
