import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createClient } from '@redis/client';
import { startRedis } from '../../../setup/services/index.mjs';
import { redisDriver } from '../../../src/store/redis/index.ts';
import type { Store } from '../../../src/store/store.ts';
import { eventually } from '../../stage.ts';
import { claimRequest, spec } from './specs.ts';

/** A server that may be paused and stopped, and a store on it that gives up on a reply after `timeoutMs`. */
async function open(t: TestContext, timeoutMs: number) {
  const server = await startRedis({ durable: true, args: ['--appendfsync', 'always'] });
  const url = `${server.url}?timeoutMs=${timeoutMs}`;
  const store = await redisDriver.open(url, {});
  t.after(async () => {
    server.resume();
    await store.close();
    await server.stop();
  });
  return { server, store, url };
}

const unavailable = { code: 'STORE_UNAVAILABLE' };

/** Whether the store answers. */
function works(store: Store): Promise<boolean> {
  return store.queues().then(
    () => true,
    () => false,
  );
}

test('a reply that does not come is given up, and the next calls have a connection of their own', async (t) => {
  const { server, store } = await open(t, 300);
  server.pause();
  const started = performance.now();
  await assert.rejects(store.enqueue([spec()]), unavailable);
  const tookMs = performance.now() - started;
  assert.ok(tookMs >= 250 && tookMs < 10_000, `it took ${tookMs} ms`);
  server.resume();
  await eventually(() => works(store));
  const job = spec();
  assert.equal((await store.enqueue([job]))[0]?.status, 'created');
});

test('jobs of a claim whose answer was lost come back uncharged', async (t) => {
  const { url, store: other } = await open(t, 30_000);
  const wire = await Wire.open(t, portOf(url));
  const store = await redisDriver.open(`redis://127.0.0.1:${wire.port}?timeoutMs=300`, {});
  t.after(() => store.close());
  const jobs = [spec(), spec()];
  const states = async () => (await other.get(jobs.map(({ id }) => id))).map((job) => job?.state);
  // The server must know the script before: an answer that it does not is lost as well.
  await store.claim(claimRequest());
  await store.enqueue(jobs);
  wire.cut = true;
  const claiming = assert.rejects(store.claim(claimRequest()), unavailable);
  await eventually(async () => (await states()).every((state) => state === 'running'));
  await claiming;
  wire.cut = false;
  await eventually(async () => (await states()).every((state) => state === 'ready'));
  const { leases } = await other.claim(claimRequest({ workerId: 'other' }));
  assert.deepEqual(
    leases.map(({ id, attempt }) => [id, attempt]),
    jobs.map(({ id }) => [id, 1]),
  );
});

test('an enqueue whose answer was lost is repeated, and its job is there once', async (t) => {
  const { url, store: other } = await open(t, 30_000);
  const wire = await Wire.open(t, portOf(url));
  const store = await redisDriver.open(`redis://127.0.0.1:${wire.port}?timeoutMs=300`, {});
  t.after(() => store.close());
  await store.enqueue([spec({ queue: 'before' })]);
  const job = spec();
  wire.cut = true;
  const enqueuing = store.enqueue([job]);
  await eventually(async () => (await other.get([job.id]))[0]?.state === 'ready');
  wire.cut = false;
  assert.deepEqual(await enqueuing, [{ status: 'existing', id: job.id, state: 'ready' }]);
  const { jobs } = await other.list({ queue: 'q', limit: 10 });
  assert.deepEqual(
    jobs.map(({ id }) => id),
    [job.id],
  );
});

test('while the server is gone calls are refused at once; when it is back the store goes on with what it knew', async (t) => {
  const { server, store } = await open(t, 30_000);
  const job = spec();
  await store.enqueue([job]);
  const { leases } = await store.claim(claimRequest());
  await server.kill();
  await assert.rejects(store.enqueue([spec()]), unavailable);
  const started = performance.now();
  await assert.rejects(store.enqueue([spec()]), unavailable);
  assert.ok(performance.now() - started < 5_000);
  await server.restart();
  await eventually(() => works(store));
  const [lease] = leases;
  assert.ok(lease);
  const outcome = { type: 'completed', result: null } as const;
  assert.deepEqual(await store.settle([{ id: lease.id, token: lease.token, outcome }]), [
    { status: 'settled', state: 'completed' },
  ]);
});

test('after a failover the store leaves the server that became a replica for the one its URL leads to', async (t) => {
  const [old, next] = [await open(t, 30_000), await open(t, 30_000)];
  const wire = await Wire.open(t, portOf(old.url));
  const store = await redisDriver.open(`redis://127.0.0.1:${wire.port}`, {});
  t.after(() => store.close());
  await store.enqueue([spec()]);
  const admin = createClient({ url: old.server.url });
  await admin.connect();
  await admin.sendCommand(['REPLICAOF', '127.0.0.1', String(portOf(next.url))]);
  admin.destroy();
  wire.target = portOf(next.url);
  const job = spec();
  await store.enqueue([job]);
  assert.equal((await next.store.get([job.id]))[0]?.id, job.id);
});

test('a server that accepts connections and says nothing is no reason to wait for ever', async (t) => {
  const { url } = await open(t, 30_000);
  const wire = await Wire.open(t, portOf(url));
  wire.cut = true;
  const through = `redis://127.0.0.1:${wire.port}?timeoutMs=300`;
  await assert.rejects(redisDriver.open(through, {}), unavailable);
  wire.cut = false;
  const store = await redisDriver.open(through, {});
  t.after(() => store.close());
  wire.cut = true;
  await assert.rejects(store.queues(), unavailable);
  const { lost } = wire;
  // A new connection waits for the answer to its first words.
  await eventually(() => wire.lost > lost);
  await assert.rejects(store.queues(), unavailable);
  wire.cut = false;
  await eventually(() => works(store));
});

function portOf(url: string): number {
  return Number(new URL(url).port);
}

/** Stands between a client and the server. While it is cut, what the server says is lost on the way. */
class Wire {
  cut = false;
  /** Replies that got lost. */
  lost = 0;
  /** Port of the server that new connections go to. */
  target: number;
  readonly #server: Server;

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.target = target;
  }

  static async open(t: TestContext, port: number): Promise<Wire> {
    const sockets = new Set<Socket>();
    const server = createServer((near) => {
      const far = connect({ port: wire.target, host: '127.0.0.1' });
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(one);
        one.on('error', () => {}).on('close', () => other.destroy());
      }
      near.on('data', (data) => far.write(data));
      far.on('data', (data) => {
        if (wire.cut) wire.lost += 1;
        else near.write(data);
      });
    });
    const wire = new Wire(server, port);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return wire;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
}
