import assert from 'node:assert/strict';
import { defineTask } from '../../src/index.ts';
import { spec } from '../../src/testing/store-conformance/trial.ts';
import type { Link, TcpProxy } from '../proxy.ts';
import { nextEvent, record } from '../stage.ts';
import { acknowledged, assertAllRan, eventually, settled } from './account.ts';
import { onEachServer } from './failing-server.ts';

const ROUNDS = 20;

onEachServer(
  `connections ended ${ROUNDS} times in the midst of work lose nothing, and hints work afterwards`,
  async (scene) => {
    const { fleet } = scene;
    const url = await scene.freshUrl();
    const settings = { leaseMs: 5_000, crashesMax: 1_000, concurrency: 4, pollMs: 600_000 };
    const hinted = await scene.connect(url);
    await hinted.worker({ tasks: [brief], ...settings, queues: ['hinted'] }).start();
    await fleet.ready(fleet.start('serve', { url, settings }));
    const enqueuer = fleet.start('insist', { url, jobs: 100_000, batch: 4, inputMs: 1 });
    for (let round = 0; round < ROUNDS; round += 1) {
      const before = settled(fleet).length;
      await fleet.until(() => settled(fleet).length > before + 10);
      await scene.dropConnections((['all', 'others', 'ears'] as const)[round % 3]);
    }
    enqueuer.tell('stop');
    await enqueuer.exited;
    assert.ok(acknowledged(fleet).length > ROUNDS * 10);
    await assertAllRan(fleet, await scene.connect(url));
    await eventually(async () => (await hinted.health()).notifications);
    const done = nextEvent(hinted, 'job.completed');
    const other = await scene.connect(url);
    await other.enqueue('brief', 0, { queue: 'hinted' });
    await done;
  },
);

const brief = defineTask({ name: 'brief', run: ({ input }) => input });

onEachServer(
  'an enqueue whose reply was lost adds its jobs once, however often it is repeated',
  async (scene) => {
    const url = await scene.freshUrl();
    const proxy = await scene.proxy();
    const direct = await scene.open(url);
    const store = await scene.open(proxy.through(url));
    const plain = spec({ input: '"reply-lost"' });
    const unique = { key: 'k', mode: 'reject', periodMs: 0 } as const;
    await store.enqueue([spec({ queue: 'warm' })]);
    for (const job of [plain, spec({ input: '"reply-lost"', unique })]) {
      const heard = deafenAt(proxy, 'reply-lost');
      const enqueuing = store.enqueue([job]).catch((error: unknown) => error);
      const link = await heard;
      await eventually(async () => (await direct.get([job.id]))[0] !== null);
      link.cut();
      const first = await enqueuing;
      if (first instanceof Error) assert.equal((first as unknown as { retryable: boolean }).retryable, true);
      let repeated: unknown;
      await eventually(async () => {
        repeated = await store.enqueue([job]).catch(() => undefined);
        return repeated !== undefined;
      });
      assert.deepEqual(repeated, [{ status: 'existing', id: job.id, state: 'ready' }]);
    }
    const counts = (await direct.queues()).find(({ name }) => name === 'q')?.counts;
    assert.equal(counts?.ready, 2);
  },
);

onEachServer('a settlement whose reply was lost counts, and once', async (scene) => {
  const url = await scene.freshUrl();
  const proxy = await scene.proxy();
  const direct = await scene.connect(url);
  const longshore = await scene.connect(proxy.through(url));
  let runs = 0;
  const task = defineTask({
    name: 'task',
    run: ({ input }) => {
      runs += 1;
      return `outcome-${String(input)}`;
    },
  });
  await longshore.worker({ tasks: [task], pollMs: 50, leaseMs: 60_000 }).start();
  await (await direct.enqueue(task, 'first')).result();
  const heard = deafenAt(proxy, 'outcome-second');
  const job = await direct.enqueue(task, 'second');
  const link = await heard;
  const ended = await job.ended();
  const told = record(longshore, 'job.completed', 'job.lost');
  link.cut();
  await eventually(() => told.length > 0);
  assert.equal(await (await direct.enqueue(task, 'third')).result(), 'outcome-third');
  assert.deepEqual(await job.ended(), ended);
  assert.equal(runs, 3);
});

for (const [what, words] of [
  ['a claim', 'waited-for'],
  // Redis is asked for the names of tasks that are new to the connection, by kind and number: `brief` is 1.
  ['what belongs to a claim', '$4\r\ntask\r\n$1\r\n2\r\n'],
] as const) {
  onEachServer(
    `jobs of a worker that lost the reply to ${what} come back although it goes on beating`,
    async (scene) => {
      const url = await scene.freshUrl();
      const proxy = await scene.proxy();
      const direct = await scene.connect(url);
      const longshore = await scene.connect(proxy.through(url));
      const runs: number[] = [];
      const task = defineTask({
        name: 'task',
        queue: 'waited-for',
        run: ({ attempt }) => void runs.push(attempt),
      });
      // So long a lease does not end within the test: the job must be given back.
      const worker = longshore.worker({
        tasks: [task, brief],
        queues: ['waited-for'],
        pollMs: 600_000,
        leaseMs: 600_000,
      });
      await worker.start();
      await eventually(async () => (await longshore.health()).notifications);
      const warm = await direct.enqueue(brief, 1, { queue: 'waited-for' });
      await warm.result();
      const heard = deafenAt(proxy, words);
      const job = await direct.enqueue(task, null);
      const link = await heard;
      await eventually(async () => (await direct.jobs.get(job.id))?.state === 'running');
      link.cut();
      await job.ended({ timeoutMs: 15_000 });
      assert.deepEqual(runs, [1]);
      assert.equal((await direct.jobs.get(job.id))?.crashes, 0);
    },
    words.startsWith('$') ? ['redis'] : ['redis', 'postgres'],
  );
}

onEachServer(
  'a connection that the server ends as it greets is no reason for the process to end',
  async (scene) => {
    const url = await scene.freshUrl();
    const proxy = await scene.proxy();
    const store = await scene.open(proxy.through(url));
    proxy.cut();
    proxy.holds = true;
    const asked = store.queues().catch((error: unknown) => error);
    await eventually(() => proxy.links().some(({ holding }) => holding));
    await eventually(async () => {
      await scene.dropConnections();
      return proxy.links().every(({ ended }) => ended);
    });
    proxy.holds = false;
    // The greeting and the end arrive at once.
    for (const link of proxy.links()) link.passOn();
    const answer = await asked;
    if (answer instanceof Error) assert.equal((answer as { code?: unknown }).code, 'STORE_UNAVAILABLE');
    await eventually(async () => Array.isArray(await store.queues().catch(() => null)));
  },
);

/** The reply to what holds these words will be lost; resolves to its connection once they were said. */
function deafenAt(proxy: TcpProxy, words: string): Promise<Link> {
  const { promise, resolve } = Promise.withResolvers<Link>();
  proxy.onSaid = (link, data) => {
    if (link.purpose !== 'verbs' || !data.includes(words)) return;
    proxy.onSaid = () => {};
    link.deafen();
    resolve(link);
  };
  return promise;
}
