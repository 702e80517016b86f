import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ended, Permit } from '../../src/engine/runner.ts';
import { connect, defineTask } from '../../src/index.ts';
import { FakeClock, FakeSensor } from '../../src/testing/index.ts';
import { Gate } from '../stage.ts';
import { eventually, startedRunner, workOf } from './started-runner.ts';
import * as tasks from './tasks.ts';

/** A task whose handlers wait until the test opens its gate; `most` ran at a time. */
function heldTask() {
  const gate = new Gate();
  const seen = { running: 0, most: 0 };
  const task = defineTask({
    name: 'held',
    run: async () => {
      seen.running += 1;
      seen.most = Math.max(seen.most, seen.running);
      await gate.wait();
      seen.running -= 1;
    },
  });
  return { gate, seen, task };
}

const times = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const states = async (ends: Promise<Ended>[]): Promise<string[]> =>
  (await Promise.all(ends)).map(({ state }) => state);

test('no more works run than there are slots, and all that waited run in the end', async (t) => {
  const { gate, seen, task } = heldTask();
  const runner = startedRunner(t, { tasks: [task], concurrency: 3 });
  await runner.start();
  assert.deepEqual([runner.limit, runner.free()], [3, 3]);
  const ends = times(10).map((index) => runner.run(workOf(task, index)));
  await eventually(() => seen.running === 3);
  assert.deepEqual([runner.running, runner.waiting, runner.free(), runner.used], [3, 7, 0, 3]);
  gate.open();
  assert.deepEqual(
    await states(ends),
    times(10).map(() => 'completed'),
  );
  assert.deepEqual([seen.most, runner.used, runner.free()], [3, 0, 3]);
});

test('a permit is a slot: it counts as used until its work has ended, and comes back once', async (t) => {
  const { gate, seen, task } = heldTask();
  const runner = startedRunner(t, { tasks: [task], concurrency: 2 });
  const first = await runner.acquire();
  const second = runner.tryAcquire() as Permit;
  assert.equal(runner.tryAcquire(), null);
  const unheld = runner.run(workOf(task, 'without a permit'));
  const ends = [first, second].map((permit) => runner.run(workOf(task, null, { permit })));
  await eventually(() => seen.running === 2);
  assert.deepEqual([runner.used, runner.running, runner.waiting], [2, 2, 1]);
  gate.open();
  assert.deepEqual(await states([...ends, unheld]), ['completed', 'completed', 'completed']);
  assert.equal(runner.used, 0);
  for (const permit of [first, second]) permit.release();
  assert.deepEqual([runner.used, seen.most], [0, 2]);
});

test('whoever waits for a permit gets it in turn, and leaves the line with its signal', async (t) => {
  const runner = startedRunner(t, { tasks: [tasks.echo], concurrency: 1 });
  const first = await runner.acquire();
  const leave = new AbortController();
  const left = runner.acquire(leave.signal);
  const order: string[] = [];
  const [second, third] = ['second', 'third'].map((name) =>
    runner.acquire().then((permit) => {
      order.push(name);
      return permit;
    }),
  );
  leave.abort(new Error('not any more'));
  await assert.rejects(left, /not any more/);
  await assert.rejects(runner.acquire(AbortSignal.abort(new Error('never'))), /never/);
  assert.equal(runner.tryAcquire(), null);
  first.release();
  first.release();
  (await second)?.release();
  (await third)?.release();
  assert.deepEqual(order, ['second', 'third']);
  assert.equal(runner.used, 0);
});

test('at the stop all permits come back, and those who wait are told', async (t) => {
  const runner = startedRunner(t, { tasks: [tasks.echo], concurrency: 2, tuner: null });
  const permits = [await runner.acquire(), await runner.acquire()];
  const waiting = runner.acquire();
  await Promise.all([assert.rejects(waiting, { code: 'WORKER_STOPPING' }), runner.stop()]);
  assert.equal(runner.used, 0);
  for (const permit of permits) permit.release();
  assert.equal(runner.used, 0);
  await assert.rejects(runner.acquire(), { code: 'WORKER_STOPPING' });
  assert.throws(() => runner.tryAcquire(), { code: 'WORKER_STOPPING' });
});

test('work that is refused, cancelled or unknown gives its permit back', async (t) => {
  const runner = startedRunner(t, { tasks: [tasks.echo], concurrency: 1 });
  const signal = AbortSignal.abort();
  for (const work of [workOf('nobody', 1), workOf(tasks.echo, 1n), workOf(tasks.echo, 1, { signal })]) {
    await runner.run({ ...work, permit: await runner.acquire() });
    assert.equal(runner.used, 0, work.task);
  }
});

test('works that have permits and wait for a thread keep their slots, also where they start right behind others', async (t) => {
  const runner = startedRunner(t, { tasks: [tasks.echo], concurrency: 40, strategy: 'thread', threads: 1 });
  const ends = times(200).map(async (index) => {
    const permit = await runner.acquire();
    return runner.run(workOf(tasks.echo, index, { permit }));
  });
  assert.deepEqual(
    await states(ends),
    times(200).map(() => 'completed'),
  );
  assert.deepEqual([runner.used, runner.waiting, runner.running], [0, 0, 0]);
});

test('as many works of a task are asked for as its pool has room for', async (t) => {
  const { gate, task } = heldTask();
  const runner = startedRunner(t, {
    tasks: [tasks.deaf, { ...task, strategy: 'async' }],
    concurrency: 10,
    strategy: 'thread',
    threads: 2,
  });
  assert.equal(runner.free(), 0, 'before the start');
  await runner.start();
  assert.deepEqual([runner.free(), runner.free('deaf'), runner.free('held')], [10, 2, 10]);
  const begun = Promise.withResolvers<unknown>();
  const cancel = new AbortController();
  const { signal } = cancel;
  const ends = times(4).map(() =>
    runner.run(workOf(tasks.deaf, null, { signal, onProgress: begun.resolve })),
  );
  await begun.promise;
  await eventually(() => runner.running === 2);
  assert.deepEqual([runner.free('deaf'), runner.waiting], [0, 2]);
  // Two run, and two that wait for a thread hold no slot.
  assert.equal(runner.free('held'), 8);
  assert.equal(runner.free(), 6);
  const held = runner.run(workOf(task, null));
  await gate.reached;
  assert.equal(runner.free('held'), 7);
  gate.open();
  cancel.abort();
  assert.deepEqual(await states([...ends, held]), [...times(4).map(() => 'cancelled'), 'completed']);
});

test('room is told when work ends and when a permit comes back', async (t) => {
  const runner = startedRunner(t, { tasks: [tasks.echo], concurrency: 1 });
  await runner.start();
  let told = 0;
  const end = runner.onRoom(() => {
    told += 1;
  });
  const permit = await runner.acquire();
  permit.release();
  await eventually(() => told > 0);
  const before = told;
  await runner.run(workOf(tasks.echo, 1));
  await eventually(() => told > before);
  end();
});

test('slots follow the load of the machine, and lowered limits hold although permits are out', async (t) => {
  const [clock, sensor] = [new FakeClock(), new FakeSensor({ cpu: 0.1 })];
  const { gate, seen, task } = heldTask();
  const tuner = { targetCpu: 0.9, targetMemory: 0.8, slotsMin: 2, slotsMax: 16, rampMs: 10 };
  const runner = startedRunner(t, { tasks: [task], tuner, clock, sensor });
  await runner.start();
  assert.equal(runner.limit, 2);
  const ends = times(40).map((index) => runner.run(workOf(task, index)));
  await gate.reached;
  while (runner.running < 8) await clock.advance(100);
  const permit = runner.acquire();
  sensor.memory = 0.9;
  while (runner.limit >= runner.used) await clock.advance(100);
  const { most } = seen;
  await clock.advance(1_000);
  assert.equal(seen.most, most, 'nothing starts while more slots are used than there are');
  sensor.memory = 0.1;
  gate.open();
  await states(ends);
  (await permit).release();
  assert.equal(runner.used, 0);
});

test('a runner and the workers of a store share the slots of their process', async (t) => {
  const sensor = new FakeSensor({ cpu: 1 });
  const tuner = { targetCpu: 0.9, targetMemory: 0.8, slotsMin: 2, slotsMax: 16, rampMs: 10 };
  const { gate, seen, task } = heldTask();
  const longshore = await connect('memory:', { sensor, logger: false });
  t.after(() => longshore.close());
  const runner = startedRunner(t, { tasks: [task], tuner, sensor });
  await runner.start();
  const worker = longshore.worker({ tasks: [task], tuner });
  await worker.start();
  const permit = await runner.acquire();
  await longshore.enqueueMany(task, times(5));
  await eventually(() => seen.running === 1);
  assert.deepEqual([worker.slots.used, runner.used, runner.tryAcquire()], [1, 1, null]);
  const ended = runner.run(workOf(task, null, { permit }));
  await eventually(() => seen.running === 2);
  gate.open();
  await ended;
  await eventually(() => worker.tally.completed === 5);
  assert.equal(seen.most, 2);
  const other = startedRunner(t, { tasks: [task], tuner: { ...tuner, targetCpu: 0.5 }, sensor });
  await assert.rejects(other.start(), /another worker of this process runs with/);
});
