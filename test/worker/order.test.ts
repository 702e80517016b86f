import assert from 'node:assert/strict';
import { defineTask } from '../../src/index.ts';
import { Gate, nextEvents, onEachStore, type Stage } from '../stage.ts';

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

async function recorder(connect: Stage['connect']) {
  const longshore = await connect();
  const ran: number[] = [];
  const task = defineTask({ name: 'note', run: ({ input }) => void ran.push(input as number) });
  return { longshore, ran, task };
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
