import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
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

test('jobs of a claim whose answer was lost come back uncharged, though beats renew their lease', async (t) => {
  const { server, store, url } = await open(t, 300);
  const jobs = [spec(), spec()];
  await store.enqueue(jobs);
  server.pause();
  await assert.rejects(store.claim(claimRequest()), unavailable);
  server.resume();
  const other = await redisDriver.open(url, {});
  t.after(() => other.close());
  // What the server was sent before it was paused for good may or may not have been carried out; both must end here.
  await eventually(async () => {
    const seen = await other.get(jobs.map(({ id }) => id));
    return seen.every((job) => job?.state === 'ready' && job.attempt === 0);
  });
  const { leases } = await other.claim(claimRequest({ workerId: 'other' }));
  assert.deepEqual(
    leases.map(({ id, attempt }) => [id, attempt]),
    jobs.map(({ id }) => [id, 1]),
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
