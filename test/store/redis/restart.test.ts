import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JobSpec, Lease, Store } from '../../../src/store/store.ts';
import { claimRequest, completed, ids, spec } from '../../../src/testing/store-conformance/trial.ts';
import { eventually, ownServer } from './server.ts';

test('a server that is restarted in order has every job, and the store goes on by itself', async (t) => {
  const server = await ownServer(t, { durable: true });
  const store = await server.open();
  const specs = Array.from({ length: 100 }, () => spec());
  await store.enqueue(specs);
  const { leases } = await store.claim(claimRequest({ limit: 10 }));
  await server.restart();
  // The server knows no scripts now; the connection needs a moment.
  const receipts = await retried(() =>
    store.settle(leases.map(({ id, token }) => ({ id, token, outcome: completed() }))),
  );
  assert.ok(receipts.every(({ status }) => status === 'settled'));
  assert.deepEqual(ids((await store.claim(claimRequest({ limit: 100 }))).leases), ids(specs.slice(10)));
  assert.equal((await store.list({ limit: 1_000 })).jobs.length, 100);
});

test('what was acknowledged survives a kill where every write is forced to the disk', async (t) => {
  const server = await ownServer(t, { durable: true, args: ['--appendfsync', 'always'] });
  const store = await server.open();
  for (let round = 0; round < 3; round += 1) {
    const acknowledged: JobSpec[] = [];
    const filling = fill(store, acknowledged);
    await eventually(async () => acknowledged.length >= 50 || undefined);
    await server.kill();
    await filling;
    await server.restart();
    const found = await retried(() => store.get(ids(acknowledged)));
    assert.deepEqual(
      found.map((job) => job?.state),
      acknowledged.map(() => 'ready'),
    );
    await store.clear('q', ['ready']);
  }
});

test('calls while the server is away are refused and said to be worth another try', async (t) => {
  const server = await ownServer(t, { durable: true });
  const store = await server.open();
  await server.kill();
  await assert.rejects(
    async () => {
      await store.enqueue([spec()]);
      await store.enqueue([spec()]);
    },
    { code: 'STORE_UNAVAILABLE', retryable: true, message: new RegExp(`127\\.0\\.0\\.1:${server.port}`) },
  );
  await server.restart();
  const one = spec();
  // An enqueue may be repeated: its id is there or not.
  await retried(() => store.enqueue([one]));
  await retried(() => store.enqueue([one]));
  assert.equal((await store.queues())[0]?.counts.ready, 1);
});

test('scripts that were flushed are sent again', async (t) => {
  const server = await ownServer(t);
  const store = await server.open();
  await store.enqueue([spec()]);
  await server.send('SCRIPT', 'FLUSH');
  await store.enqueue([spec()]);
  const { leases }: { leases: readonly Lease[] } = await store.claim(claimRequest({ limit: 5 }));
  assert.equal(leases.length, 2);
});

/** Enqueues one job after the other until the store refuses. */
async function fill(store: Store, acknowledged: JobSpec[]): Promise<void> {
  for (;;) {
    const one = spec();
    try {
      await store.enqueue([one]);
    } catch {
      return;
    }
    acknowledged.push(one);
  }
}

/** As a worker does: tries again while the store cannot be reached. */
function retried<Result>(call: () => Promise<Result>): Promise<Result> {
  return eventually(async () => {
    try {
      return await call();
    } catch (error) {
      assert.equal((error as { code?: unknown }).code, 'STORE_UNAVAILABLE', String(error));
      return undefined;
    }
  });
}
