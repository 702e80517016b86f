import assert from 'node:assert/strict';
import { type AnyTask, defineTask } from '../../src/index.ts';
import { Gate, onEachStore } from '../stage.ts';

onEachStore(
  'runOnce runs one batch of at most `concurrency` jobs with nothing started',
  async ({ connect }) => {
    const longshore = await connect();
    const task = defineTask({ name: 'task', run: () => undefined });
    await longshore.enqueueMany(task, new Array(5).fill(null));
    const worker = longshore.worker({ tasks: [task], concurrency: 3 });
    const none = { retried: 0, failed: 0, cancelled: 0, snoozed: 0, released: 0, lost: 0 };
    assert.deepEqual(await worker.runOnce(), { completed: 3, ...none });
    assert.deepEqual(await worker.runOnce(), { completed: 2, ...none });
    assert.deepEqual(await worker.runOnce(), { completed: 0, ...none });
    assert.equal(worker.tally.completed, 5);
    assert.deepEqual(await longshore.workers(), []);
  },
);

onEachStore(
  'processNext runs one job with nothing started, and says whether there was one',
  async ({ connect }) => {
    const longshore = await connect();
    const ran: unknown[] = [];
    const task = defineTask({ name: 'task', run: ({ input }) => void ran.push(input) });
    await longshore.enqueueMany(task, [1, 2]);
    const worker = longshore.worker({ tasks: [task], concurrency: 3 });
    for (const [there, so] of [
      [true, [1]],
      [true, [1, 2]],
      [false, [1, 2]],
    ] as const) {
      assert.equal(await worker.processNext(), there);
      assert.deepEqual(ran, so);
      assert.deepEqual([worker.isProcessing, worker.isScheduling], [false, false]);
    }
  },
);

onEachStore(
  'runUntilIdle runs the jobs that jobs enqueue, and leaves those due later',
  async ({ connect }) => {
    const longshore = await connect();
    const task: AnyTask = defineTask({
      name: 'countdown',
      run: async ({ input }) => {
        if ((input as number) > 0) await longshore.enqueue(task, (input as number) - 1);
        else await longshore.enqueue(task, 0, { delayMs: 3_600_000 });
      },
    });
    await longshore.enqueue(task, 20);
    const tally = await longshore.worker({ tasks: [task] }).runUntilIdle();
    assert.equal(tally.completed, 21);
    assert.equal((await longshore.jobs.list({ state: 'scheduled' })).jobs.length, 1);
  },
);

onEachStore('runUntilIdle needs no hints: retries without a wait and new jobs are found', async (stage) => {
  const longshore = await stage.connectThrough(() => ({
    notifier: { crossProcess: false, subscribe: () => () => undefined },
  }));
  const child = defineTask({
    name: 'child',
    backoff: 0,
    run: ({ attempt }) => {
      if (attempt < 3) throw new Error('again');
    },
  });
  const parent = defineTask({ name: 'parent', run: async () => void (await longshore.enqueue(child, null)) });
  await longshore.enqueue(parent, null);
  const tally = await longshore.worker({ tasks: [parent, child] }).runUntilIdle();
  assert.equal(tally.completed, 2);
  assert.equal(tally.retried, 2);
});

onEachStore(
  'runOnce and runUntilIdle refuse a worker that is started, and start refuses one that runs once',
  async (stage) => {
    const longshore = await stage.connect();
    const gate = new Gate();
    const task = defineTask({ name: 'task', run: () => gate.wait() });
    const worker = longshore.worker({ tasks: [task] });
    await worker.start();
    await assert.rejects(worker.runOnce(), { code: 'OPTION_INVALID' });
    await assert.rejects(worker.runUntilIdle(), { code: 'OPTION_INVALID' });
    await worker.stop();
    await longshore.enqueue(task, null);
    const once = worker.runOnce();
    await gate.reached;
    await assert.rejects(worker.start(), { code: 'OPTION_INVALID' });
    await assert.rejects(worker.runOnce(), { code: 'OPTION_INVALID' });
    gate.open();
    assert.equal((await once).completed, 1);
  },
);

onEachStore('a stop ends runOnce and runUntilIdle, which say how far they came', async ({ connect }) => {
  const longshore = await connect();
  for (const method of ['runOnce', 'runUntilIdle'] as const) {
    const gate = new Gate();
    const task = defineTask({ name: 'task', run: () => gate.wait() });
    const worker = longshore.worker({ tasks: [task], concurrency: 1, graceMs: 3_600_000 });
    await longshore.enqueueMany(task, [1, 2, 3]);
    const running = worker[method]();
    await gate.reached;
    const stopping = worker.stop();
    gate.open();
    await stopping;
    assert.equal((await running).completed, 1);
    assert.equal(await longshore.queues.drain('default'), 2);
  }
});

onEachStore('runUntilIdle passes over a paused queue', async ({ connect }) => {
  const longshore = await connect();
  const task = defineTask({ name: 'task', run: () => undefined });
  await longshore.enqueueMany(task, [1, 2]);
  await longshore.queues.pause('default');
  const worker = longshore.worker({ tasks: [task] });
  assert.equal((await worker.runUntilIdle()).completed, 0);
  await longshore.queues.resume('default');
  assert.equal((await worker.runUntilIdle()).completed, 2);
});

onEachStore(
  'a stop that overtakes the claim of runOnce starts nothing and gives the jobs back',
  async (stage) => {
    const claimed = new Gate();
    const longshore = await stage.connectThrough((store) => ({
      claim: async (request) => {
        const receipt = await store.claim(request);
        await claimed.wait();
        return receipt;
      },
    }));
    let runs = 0;
    const count = (): void => {
      runs += 1;
    };
    const task = defineTask({ name: 'task', run: count });
    const job = await longshore.enqueue(task, null);
    const worker = longshore.worker({ tasks: [task] });
    const once = worker.runOnce();
    await claimed.reached;
    const stopped = worker.stop();
    claimed.open();
    await Promise.all([once, stopped]);
    assert.equal(runs, 0);
    const { state, attempt } = (await longshore.jobs.get(job.id)) ?? {};
    assert.deepEqual([state, attempt], ['ready', 0]);
  },
);
