import assert from 'node:assert/strict';
import { defineTask } from '../../src/index.ts';
import { eventually, Gate, nextEvents, onEachStore, type Stage } from '../stage.ts';
import { VirtualTime } from './virtual-time.ts';

/** Runs one job per duration, numbered from `first`, and returns the numbers in the order of completion. */
async function completionOrder(
  { connect }: Stage,
  durations: readonly number[],
  settings: { readonly concurrency?: number; readonly serial?: boolean },
  first = 1,
): Promise<{ order: number[]; mostAtOnce: number }> {
  const time = new VirtualTime();
  const order: number[] = [];
  const task = defineTask({
    name: 'sleep',
    run: async ({ input }) => {
      const { job, seconds } = input as { job: number; seconds: number };
      await time.sleep(seconds * 1_000);
      order.push(job);
    },
  });
  const longshore = await connect();
  await longshore.enqueueMany(
    task,
    durations.map((seconds, index) => ({ job: first + index, seconds })),
  );
  const done = nextEvents(longshore, 'job.completed', durations.length);
  const worker = longshore.worker({ tasks: [task], ...settings });
  await worker.start();
  await time.run(durations.length, worker.settings.concurrency);
  await done;
  await worker.stop();
  return { order, mostAtOnce: time.mostAtOnce };
}

onEachStore('a serial worker completes jobs in the order they were enqueued', async (stage) => {
  const { order, mostAtOnce } = await completionOrder(stage, [0.04, 0.1, 0, 0.08], { serial: true });
  assert.deepEqual(order, [1, 2, 3, 4]);
  assert.equal(mostAtOnce, 1);
});

onEachStore('with two at once, short jobs overtake a long one', async (stage) => {
  const { order } = await completionOrder(stage, [1, 0, 0.2], { concurrency: 2 }, 2);
  assert.deepEqual(order, [3, 4, 2]);
});

onEachStore('with four at once, four jobs complete by their durations', async (stage) => {
  const { order } = await completionOrder(stage, [0.3, 0.4, 0.1, 0.5], { concurrency: 4 });
  assert.deepEqual(order, [3, 1, 2, 4]);
});

onEachStore('with two at once, never more than two of four jobs run', async (stage) => {
  const { order, mostAtOnce } = await completionOrder(stage, [0.3, 0.4, 0.2, 0.5], { concurrency: 2 });
  assert.deepEqual(order, [1, 2, 3, 4]);
  assert.equal(mostAtOnce, 2);
});

onEachStore('a serial worker stores an outcome before it starts the next job', async ({ connect }) => {
  const longshore = await connect();
  const notCompleted: number[] = [];
  const task = defineTask({
    name: 'look-back',
    run: async ({ input }) => {
      const { jobs } = await longshore.jobs.list({ state: 'completed' });
      if (jobs.length !== input) notCompleted.push(input as number);
    },
  });
  await longshore.enqueueMany(task, [0, 1, 2, 3, 4]);
  await longshore.worker({ tasks: [task], serial: true }).runUntilIdle();
  assert.deepEqual(notCompleted, []);
});

onEachStore(
  'a serial worker that prefetches nothing keeps FIFO over many quick jobs',
  async ({ connect }) => {
    const { longshore, ran, task } = await recorder(connect);
    await longshore.enqueueMany(task, numbers(300));
    await longshore.worker({ tasks: [task], serial: true }).runUntilIdle();
    assert.deepEqual(ran, numbers(300));
  },
);

onEachStore('quick jobs start in order with prefetch on', async ({ connect }) => {
  const { longshore, ran, task } = await recorder(connect);
  await longshore.enqueueMany(task, numbers(2_000));
  await longshore.worker({ tasks: [task], concurrency: 1, prefetchMax: 500 }).runUntilIdle();
  assert.deepEqual(ran, numbers(2_000));
});

onEachStore('lower priorities run first, and FIFO holds within one', async ({ connect }) => {
  const { longshore, ran, task } = await recorder(connect);
  const priorities = [0, 'low', 'high', 0, -11, 'low', 'medium', 'high'] as const;
  await longshore.enqueueMany(task, numbers(8), (_input, index) => ({ priority: priorities[index] ?? 0 }));
  await longshore.worker({ tasks: [task], serial: true }).runUntilIdle();
  assert.deepEqual(ran, [4, 2, 7, 0, 3, 6, 1, 5]);
});

onEachStore(
  'several queues take turns, so that a full one does not starve the others',
  async ({ connect }) => {
    const { longshore, ran, task } = await recorder(connect);
    await longshore.enqueueMany(task, numbers(20), { queue: 'full' });
    await longshore.enqueueMany(task, [100, 101], { queue: 'quiet' });
    await longshore.worker({ tasks: [task], serial: true, queues: ['full', 'quiet'] }).runUntilIdle();
    assert.ok(
      ran.indexOf(101) < 5,
      `the quiet queue's jobs came at ${ran.indexOf(100)} and ${ran.indexOf(101)}`,
    );
    assert.deepEqual(
      ran.filter((job) => job < 100),
      numbers(20),
    );
  },
);

onEachStore('a slow job keeps only its own slot', async ({ connect }) => {
  const longshore = await connect();
  const gate = new Gate();
  const slow = defineTask({ name: 'slow', run: () => gate.wait() });
  const quick = defineTask({ name: 'quick', run: () => undefined });
  const held = await longshore.enqueue(slow, null);
  const done = nextEvents(longshore, 'job.completed', 50, ({ task }) => task === 'quick');
  const worker = longshore.worker({ tasks: [slow, quick], concurrency: 2 });
  await worker.start();
  await gate.reached;
  await longshore.enqueueMany(quick, numbers(50));
  await done;
  gate.open();
  await held.result();
});

onEachStore('ten workers on one store run each of 1,000 jobs once', async ({ connect }) => {
  const longshore = await connect();
  const runs = new Map<string, number>();
  const task = defineTask({
    name: 'count',
    run: ({ id }) => void runs.set(id, (runs.get(id) ?? 0) + 1),
  });
  const handles = await longshore.enqueueMany(task, numbers(1_000));
  const workers = numbers(10).map(() => longshore.worker({ tasks: [task], concurrency: 5 }));
  await Promise.all(workers.map((worker) => worker.start()));
  await eventually(() => workers.reduce((sum, worker) => sum + worker.tally.completed, 0) === 1_000);
  await Promise.all(workers.map((worker) => worker.stop()));
  assert.deepEqual(new Set(runs.keys()), new Set(handles.map(({ id }) => id)));
  assert.ok([...runs.values()].every((count) => count === 1));
});

async function recorder(connect: Stage['connect']) {
  const longshore = await connect();
  const ran: number[] = [];
  const task = defineTask({ name: 'note', run: ({ input }) => void ran.push(input as number) });
  return { longshore, ran, task };
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
