import assert from 'node:assert/strict';
import { defineTask, type JobContext } from '../../src/index.ts';
import type { Notifier } from '../../src/store/notifier.ts';
import { PostgresNotifier } from '../../src/store/postgres/notifier.ts';
import { placeOf } from '../../src/store/postgres/url.ts';
import { listener } from '../../src/store/redis/client.ts';
import { baseOf } from '../../src/store/redis/keys.ts';
import { RedisNotifier } from '../../src/store/redis/notifier.ts';
import { parseUrl } from '../../src/store/redis/url.ts';
import { spec } from '../../src/testing/store-conformance/trial.ts';
import type { Link } from '../proxy.ts';
import { Gate, record } from '../stage.ts';
import { eventually } from './account.ts';
import { onEachServer, type ServerKind } from './failing-server.ts';

const echo = defineTask({ name: 'echo', run: ({ input }) => input });

for (const [title, hurt] of [
  ['half open', (link: Link) => link.stall()],
  ['deaf', (link: Link) => link.deafen()],
] as const) {
  onEachServer(
    `connections for verbs that are ${title} are replaced, and the worker goes on`,
    async (scene) => {
      const url = await scene.freshUrl();
      const proxy = await scene.proxy();
      const direct = await scene.connect(url);
      const longshore = await scene.connect(`${proxy.through(url)}&timeoutMs=300`);
      const worker = longshore.worker({ tasks: [echo], pollMs: 20, leaseMs: 3_000 });
      await worker.start();
      await (await direct.enqueueMany(echo, [1, 2, 3])).at(-1)?.result();
      for (const link of proxy.links('verbs')) hurt(link);
      // Of a pool, the claims may go on over a connection that was made at this moment.
      if (scene.kind === 'redis') {
        await eventually(() => worker.health().claim !== null);
        assert.equal(worker.health().claim?.code, 'STORE_UNAVAILABLE');
      }
      const jobs = await direct.enqueueMany(echo, [4, 5, 6]);
      for (const [index, job] of jobs.entries()) assert.equal(await job.result(), index + 4);
      await eventually(async () => (await longshore.health()).ok);
    },
  );

  onEachServer(
    `a heart whose connection is ${title} beats on another before the lease ends`,
    async (scene) => {
      const url = await scene.freshUrl();
      const proxy = await scene.proxy();
      const direct = await scene.connect(url);
      const longshore = await scene.connect(proxy.through(url));
      const gate = new Gate();
      const task = defineTask({ name: 'task', run: waitAt(gate) });
      // A third of it and the second that an answer may take leave two for another try, on a busy machine as well.
      const leaseMs = 4_500;
      const worker = longshore.worker({ tasks: [task], pollMs: 50, leaseMs });
      await worker.start();
      // Takes back what is not renewed.
      await direct.worker({ tasks: [echo], queues: ['other'], roles: ['scheduling'], leaseMs: 500 }).start();
      const job = await direct.enqueue(task, 1);
      await gate.reached;
      await eventually(() => proxy.links('heart').length > 0);
      for (const link of proxy.links('heart')) hurt(link);
      const from = await seenAt(direct, worker.id);
      // By the store's own clock.
      await eventually(async () => {
        assert.equal((await direct.jobs.get(job.id))?.crashes, 0, 'the lease was taken back');
        return (await seenAt(direct, worker.id)) > from + leaseMs;
      });
      gate.open();
      assert.equal(await job.result(), 1);
      await eventually(() => worker.health().ok);
    },
  );
}

onEachServer(
  'a worker that is cut off for longer than its lease settles nothing that another ran',
  async (scene) => {
    const url = await scene.freshUrl();
    const proxy = await scene.proxy();
    const direct = await scene.connect(url);
    const far = await scene.connect(`${proxy.through(url)}&timeoutMs=300`);
    const gate = new Gate();
    const settings = { pollMs: 50, leaseMs: 900 };
    await far.worker({ tasks: [defineTask({ name: 'task', run: waitAt(gate) })], ...settings }).start();
    const job = await direct.enqueue('task', 'near');
    await gate.reached;
    proxy.admits = 'silently';
    for (const link of proxy.links()) link.stall();
    const told = record(far, 'job.completed', 'job.lost');
    const near = record(direct, 'job.completed');
    await direct
      .worker({ tasks: [defineTask({ name: 'task', run: ({ attempt }) => attempt })], ...settings })
      .start();
    const ended = await job.ended();
    assert.deepEqual([ended.state, ended.crashes, near.length], ['completed', 1, 1]);
    gate.open();
    proxy.admits = 'all';
    await eventually(() => told.length > 0);
    assert.deepEqual(
      told.map(({ name }) => name),
      ['job.lost'],
    );
    await eventually(async () => (await far.health()).ok);
    assert.deepEqual(await job.ended(), ended);
  },
);

onEachServer('a process whose connections are all half open comes to its end', async (scene) => {
  const { fleet } = scene;
  const proxy = await scene.proxy();
  const url = `${proxy.through(await scene.freshUrl())}&timeoutMs=300`;
  const worker = fleet.start('serve', { url, settings: { leaseMs: 600, pollMs: 50 } });
  await fleet.ready(worker);
  proxy.admits = 'silently';
  for (const link of proxy.links()) link.stall();
  worker.tell('stop');
  let over = false;
  worker.exited.then(() => {
    over = true;
  });
  await eventually(() => over, 25_000);
  assert.equal(worker.child.exitCode, 0);
});

onEachServer(
  'a listener hears again after its connection went silent, whatever meets the next ones',
  async (scene) => {
    const url = await scene.freshUrl();
    const proxy = await scene.proxy();
    const store = await scene.open(url);
    const notifier = notifierOf(scene.kind, `${proxy.through(url)}&timeoutMs=300`);
    scene.t.after(() => notifier.close());
    let heard = 0;
    notifier.subscribe('ready', () => {
      heard += 1;
    });
    await eventually(() => heard > 0);
    assert.equal(notifier.crossProcess, true);
    for (const admits of ['silently', 'none'] as const) {
      proxy.admits = admits;
      const { accepted } = proxy;
      for (const link of proxy.links('ear')) link.stall();
      await eventually(() => proxy.accepted >= accepted + 2);
      assert.equal(notifier.crossProcess, false);
      proxy.admits = 'all';
      await eventually(() => notifier.crossProcess);
      const before = heard;
      await store.enqueue([spec()]);
      await eventually(() => heard > before);
    }
  },
);

onEachServer(
  'what a worker held in the midst of a transaction as it was cut off is taken back all the same',
  async (scene) => {
    const url = await scene.freshUrl({ timeoutMs: 500 });
    const proxy = await scene.proxy();
    const direct = await scene.open(url);
    const far = await scene.open(proxy.through(url));
    const job = spec();
    await direct.enqueue([job]);
    await direct.claim({ workerId: 'gone', queues: ['q'], limit: 1, leaseMs: 1 });
    // The rows are locked, and neither side hears of the other any more.
    proxy.onSaid = (link, data) => {
      if (data.includes('SKIP LOCKED')) setImmediate(() => link.stall());
    };
    await assert.rejects(far.reap(), { code: 'STORE_UNAVAILABLE' });
    await eventually(async () => (await direct.reap()).reaped.length === 1);
    assert.equal((await direct.get([job.id]))[0]?.state, 'ready');
  },
  ['postgres'],
);

function waitAt(gate: Gate) {
  return async ({ input }: JobContext<unknown>): Promise<unknown> => {
    await gate.wait();
    return input;
  };
}

async function seenAt(longshore: { workers(): Promise<{ id: string; seenAt: number }[]> }, id: string) {
  return (await longshore.workers()).find((worker) => worker.id === id)?.seenAt ?? 0;
}

function notifierOf(kind: ServerKind, url: string): Notifier & { close(): unknown } {
  if (kind === 'postgres') {
    const options = { instance: 'ear', listens: true, checkMs: 50, checkMaxMs: 200 };
    return new PostgresNotifier({ place: placeOf(url), ...options });
  }
  const address = parseUrl(url);
  const listen = listener(address, `${baseOf(address.prefix)}hints`);
  return new RedisNotifier({ listen, instance: 'ear', pingMs: 50, pongMs: 200 });
}
