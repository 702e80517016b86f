import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { defineTask } from '../../src/index.ts';
import { beatOf, spec } from '../../src/testing/store-conformance/trial.ts';
import { Gate, record } from '../stage.ts';
import { eventually, settled } from './account.ts';
import { onEachServer } from './failing-server.ts';

// A server that stands still is the fault here, and lasts as long as a test waits: the waits are no waiting for anything.

onEachServer('calls wait for a server that stands still for less than their time', async (scene) => {
  const { server } = scene;
  const url = await scene.freshUrl();
  const gate = new Gate();
  const task = defineTask({
    name: 'task',
    run: async ({ input, attempt }) => {
      if (input === 'held') await gate.wait();
      return attempt;
    },
  });
  const longshore = await scene.connect(url);
  const told = record(longshore, 'job.lost', 'job.abandoned');
  const workers = [1, 2].map(() => longshore.worker({ tasks: [task], pollMs: 50, leaseMs: 4_000 }));
  for (const worker of workers) await worker.start();
  const held = await longshore.enqueue(task, 'held');
  await gate.reached;
  server.pause();
  const enqueuing = longshore.enqueue(task, 'in the pause');
  const asked = await longshore.health({ timeoutMs: 100 });
  assert.deepEqual([asked.ok, asked.store.trouble?.code], [false, 'STORE_UNAVAILABLE']);
  await delay(1_000);
  server.resume();
  assert.equal(await (await enqueuing).result(), 1);
  await eventually(async () => (await longshore.health()).ok);
  gate.open();
  assert.equal(await held.result(), 1);
  assert.deepEqual(told, []);
});

onEachServer(
  'a server that stands still for longer than calls wait is gone on with afterwards',
  async (scene) => {
    const { server } = scene;
    const url = await scene.freshUrl({ timeoutMs: 300 });
    const task = defineTask({ name: 'task', run: ({ input }) => input });
    const longshore = await scene.connect(url);
    const worker = longshore.worker({ tasks: [task], pollMs: 50, leaseMs: 2_000 });
    await worker.start();
    server.pause();
    await assert.rejects(longshore.enqueue(task, 'in the pause'), {
      code: 'STORE_UNAVAILABLE',
      retryable: true,
    });
    await eventually(() => worker.health().claim !== null);
    assert.equal(worker.health().claim?.code, 'STORE_UNAVAILABLE');
    server.resume();
    await eventually(async () => (await longshore.health()).ok && worker.health().ok);
    assert.equal(await (await longshore.enqueue(task, 'after it')).result(), 'after it');
  },
);

onEachServer(
  'jobs of a claim that a server carried out long after it was given up come back, although their worker beats',
  async (scene) => {
    const { server } = scene;
    const url = await scene.freshUrl();
    const direct = await scene.open(url);
    const store = await scene.open(`${url}&timeoutMs=200`);
    // Nobody takes leases back here, and these end long after the test.
    const leaseMs = 600_000;
    const claim = { workerId: 'w1', queues: ['q'], limit: 2, leaseMs: 300 };
    const options = {
      worker: beatOf('w1', Date.now()).worker,
      leaseMs,
      intervalMs: 50,
      onBeat() {},
      onError() {},
    };
    const keepAlive = store.keepAlive(options);
    await keepAlive.beat();
    const jobs = [spec(), spec()];
    const ids = jobs.map(({ id }) => id);
    const inState = async (state: string) => (await direct.get(ids)).every((job) => job?.state === state);
    // A script that the server does not know would be sent again, which is no use in a pause.
    await store.claim({ ...claim, limit: 0 });
    await direct.enqueue(jobs);
    server.pause();
    await assert.rejects(store.claim(claim), {
      code: 'STORE_UNAVAILABLE',
    });
    // More than two of the claim's lease times, and the next look for it.
    await delay(2_000);
    server.resume();
    await eventually(() => inState('running'));
    const deadline = performance.now() + 10_000;
    await eventually(async () => {
      assert.ok(performance.now() < deadline, 'the jobs did not come back');
      return inState('ready');
    });
    await keepAlive.close();
  },
);

onEachServer('a handler that blocks for several lease times keeps its lease', async (scene) => {
  const { fleet } = scene;
  const url = await scene.freshUrl();
  const settings = { leaseMs: 1_000, pollMs: 100, strategy: 'async', concurrency: 1 };
  const longshore = await scene.connect(url);
  const blocked = fleet.start('serve', { url, settings });
  await fleet.ready(blocked);
  const block = await longshore.enqueue('block', 4_000);
  await fleet.until(() => fleet.all('started').length === 1);
  await fleet.ready(fleet.start('serve', { url, settings }));
  const briefs = await longshore.enqueueMany('brief', new Array<number>(50).fill(1));
  await fleet.until(() => settled(fleet).length === briefs.length);
  assert.deepEqual(
    fleet.all('ended').filter(({ id }) => id === block.id),
    [],
    'the other worker was kept waiting',
  );
  await fleet.until(() => settled(fleet).includes(block.id));
  assert.deepEqual(fleet.all('lost'), []);
  assert.deepEqual(
    fleet
      .all('started')
      .filter(({ id }) => id === block.id)
      .map(({ attempt, from }) => [attempt, from]),
    [[1, blocked]],
  );
});
