import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { defineTask, type Longshore } from '../../src/index.ts';
import { eventually, Gate, nextEvent, onEachStore } from '../stage.ts';

/** 300 jobs that end at once teach the worker to fetch ahead; the one behind them waits at the gate, before 100 more. */
async function fastThenSlow(longshore: Longshore, gate: Gate) {
  const task = defineTask({ name: 'mixed', run: ({ input }) => (input === 'slow' ? gate.wait() : null) });
  await longshore.enqueueMany(task, [...new Array(300).fill('fast'), 'slow', ...new Array(100).fill('fast')]);
  const worker = longshore.worker({ tasks: [task], concurrency: 1, pollMs: 20, prefetchMax: 500 });
  await worker.start();
  await gate.reached;
  return { task, worker };
}

async function counts(longshore: Longshore): Promise<{ ready: number; running: number; completed: number }> {
  const [queue] = await longshore.queues.list();
  const { ready = 0, running = 0, completed = 0 } = queue?.counts ?? {};
  return { ready, running, completed };
}

/** Outcomes of the fast ones may still be on their way when it starts. */
async function slowRunsAlone(longshore: Longshore): Promise<boolean> {
  return isDeepStrictEqual(await counts(longshore), { ready: 100, running: 1, completed: 300 });
}

onEachStore(
  'jobs fetched ahead go back when the one before them turns out to be slow',
  async ({ connect }) => {
    const longshore = await connect();
    const gate = new Gate();
    const { task, worker } = await fastThenSlow(longshore, gate);
    await eventually(() => slowRunsAlone(longshore));
    // Another worker gets them while the first one is still at its slow job.
    const other = longshore.worker({ tasks: [task], roles: ['processing'] });
    await other.start();
    await eventually(async () => (await counts(longshore)).completed === 400);
    gate.open();
    await eventually(async () => (await counts(longshore)).completed === 401);
    assert.equal(
      (await longshore.jobs.list({ limit: 1_000 })).jobs.every(({ attempt }) => attempt === 1),
      true,
    );
    await Promise.all([worker.stop(), other.stop()]);
  },
);

onEachStore('of many slots that all turn out slow none takes a waiting job back', async ({ connect }) => {
  const longshore = await connect();
  const gate = new Gate();
  const slots = 100;
  const task = defineTask({ name: 'mixed', run: ({ input }) => (input === 'slow' ? gate.wait() : null) });
  await longshore.enqueueMany(task, [
    ...new Array(600).fill('fast'),
    ...new Array(slots).fill('slow'),
    ...new Array(4).fill('fast'),
  ]);
  const worker = longshore.worker({ tasks: [task], concurrency: slots });
  await worker.start();
  await eventually(async () =>
    isDeepStrictEqual(await counts(longshore), { ready: 4, running: slots, completed: 600 }),
  );
  const other = longshore.worker({ tasks: [task], roles: ['processing'] });
  await other.start();
  await eventually(() => other.tally.completed === 4);
  gate.open();
  await Promise.all([worker.stop(), other.stop()]);
});

onEachStore('a pause also holds the jobs a worker has fetched ahead', async ({ connect }) => {
  const longshore = await connect();
  const gate = new Gate();
  const { worker } = await fastThenSlow(longshore, gate);
  await longshore.queues.pause('default');
  await eventually(() => slowRunsAlone(longshore));
  const completed = nextEvent(longshore, 'job.completed');
  gate.open();
  await completed;
  assert.deepEqual(await counts(longshore), { ready: 100, running: 0, completed: 301 });
  await longshore.queues.resume('default');
  await eventually(async () => (await counts(longshore)).completed === 401);
  await worker.stop();
});
