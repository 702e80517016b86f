import assert from 'node:assert/strict';
import { createClient } from '@redis/client';
import { defineTask } from '../../src/index.ts';
import { nextEvent } from '../stage.ts';
import { acknowledged, assertAllRan, eventually, settled } from './account.ts';
import { onEachServer, type Scene } from './failing-server.ts';

const WORKER = { leaseMs: 2_000, crashesMax: 1_000, concurrency: 8, pollMs: 60_000 };

for (const [title, end] of [
  ['stopped at once', async ({ server, kind }: Scene) => stopNow(server.pid as number, kind)],
  ['killed', ({ server }: Scene) => server.kill()],
] as const) {
  onEachServer(`a server that is ${title} and comes back runs every acknowledged job once`, async (scene) => {
    const { fleet, server } = scene;
    const url = await scene.freshUrl();
    const worker = fleet.start('serve', { url, settings: WORKER });
    await fleet.ready(worker);
    const enqueuer = fleet.start('insist', { url, jobs: 1_000, batch: 5, inputMs: 1 });
    for (const acked of [150, 500]) {
      await fleet.until(() => acknowledged(fleet).length >= acked && settled(fleet).length > 0);
      await end(scene);
      await server.restart();
    }
    await enqueuer.exited;
    await assertAllRan(fleet, await scene.connect(url));
    worker.tell('stop');
    await worker.exited;
    assert.equal(worker.child.exitCode, 0);
  });
}

onEachServer('a server that is down refuses connections and workers in plain words', async (scene) => {
  const { server } = scene;
  const url = await scene.freshUrl();
  const task = defineTask({ name: 'task', run: ({ input }) => input });
  const longshore = await scene.connect(url);
  const worker = longshore.worker({ tasks: [task], pollMs: 60_000, leaseMs: 1_000 });
  await server.kill();
  const unavailable = { code: 'STORE_UNAVAILABLE', retryable: true, message: /127\.0\.0\.1:\d+/ };
  await assert.rejects(scene.connect(url), unavailable);
  await assert.rejects(worker.start(), unavailable);
  const { ok, store, workers } = await longshore.health();
  assert.deepEqual([ok, store.ok, store.trouble?.code, workers], [false, false, 'STORE_UNAVAILABLE', []]);
  await server.restart();
  await eventually(async () => (await longshore.health()).ok);
  await worker.start();
  const job = await longshore.enqueue(task, 1);
  assert.equal(await job.result(), 1);
});

onEachServer('health tells the truth while a server is gone and when it is back', async (scene) => {
  const { server } = scene;
  const url = await scene.freshUrl();
  const task = defineTask({ name: 'task', run: ({ input }) => input });
  const longshore = await scene.connect(url);
  const worker = longshore.worker({ tasks: [task], pollMs: 50, leaseMs: 600 });
  await worker.start();
  await eventually(async () => (await longshore.health()).notifications);
  assert.equal((await longshore.health()).ok, true);
  const from = Date.now();
  await server.kill();
  await eventually(() => worker.health().claim !== null && worker.health().beat !== null);
  const meanwhile = await longshore.health();
  assert.deepEqual(
    [meanwhile.ok, meanwhile.store.ok, meanwhile.notifications, meanwhile.workers[0]?.ok],
    [false, false, false, false],
  );
  const { claim, beat } = worker.health();
  for (const trouble of [meanwhile.store.trouble, claim, beat]) {
    assert.equal(trouble?.code, 'STORE_UNAVAILABLE');
    assert.ok(trouble.since >= from && trouble.since <= Date.now());
  }
  await server.restart();
  await eventually(async () => {
    const health = await longshore.health();
    return health.ok && health.notifications;
  });
  assert.deepEqual([worker.health().claim, worker.health().beat], [null, null]);
  assert.equal(await (await longshore.enqueue(task, 2)).result(), 2);
});

onEachServer(
  'a server that comes back empty has lost its jobs, and workers go on with new ones',
  async (scene) => {
    const { server } = scene;
    const url = await scene.freshUrl();
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const task = defineTask({
      name: 'task',
      run: async ({ input }) => {
        if (input === 0) {
          gates[0]?.resolve();
          await gates[1]?.promise;
        }
        return input;
      },
    });
    const longshore = await scene.connect(url);
    const worker = longshore.worker({ tasks: [task], pollMs: 60_000, leaseMs: 1_000 });
    await worker.start();
    await longshore.enqueue(task, 0);
    await gates[0]?.promise;
    await sendRedis(server.url, 'FLUSHALL');
    await server.kill();
    await server.restart();
    const lost = nextEvent(longshore, 'job.lost');
    gates[1]?.resolve();
    await lost;
    await eventually(async () => (await longshore.health()).ok);
    assert.equal(await (await longshore.enqueue(task, 1)).result(), 1);
    assert.deepEqual(
      (await longshore.queues.list()).map(({ counts }) => counts.completed),
      [1],
    );
    await eventually(async () => (await longshore.workers()).some(({ id }) => id === worker.id));
  },
  ['redis'],
);

onEachServer(
  'scripts may be flushed at any time',
  async (scene) => {
    const { fleet, server } = scene;
    const url = await scene.freshUrl();
    await fleet.ready(fleet.start('serve', { url, settings: WORKER }));
    const enqueuer = fleet.start('insist', { url, jobs: 600, batch: 5, inputMs: 0 });
    for (let done = 50; done <= 500; done += 50) {
      await fleet.until(() => settled(fleet).length >= done);
      await sendRedis(server.url, 'SCRIPT', 'FLUSH');
    }
    await enqueuer.exited;
    await assertAllRan(fleet, await scene.connect(url));
  },
  ['redis'],
);

/** The immediate mode of PostgreSQL; Redis has none, and ends in order. */
async function stopNow(pid: number, kind: Scene['kind']): Promise<void> {
  process.kill(pid, kind === 'postgres' ? 'SIGQUIT' : 'SIGTERM');
  await eventually(() => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  });
}

async function sendRedis(url: string, ...command: string[]): Promise<void> {
  const admin = createClient({ url });
  await admin.connect();
  await admin.sendCommand(command);
  admin.destroy();
}
