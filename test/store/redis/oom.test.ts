import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { connect } from '../../../src/connect.ts';
import { LongshoreError } from '../../../src/core/errors.ts';
import { defineTask } from '../../../src/core/task.ts';
import type { Store } from '../../../src/store/store.ts';
import { claimRequest, completed, spec } from '../../../src/testing/store-conformance/trial.ts';
import { type OwnServer, ownServer } from './server.ts';

const INPUT = JSON.stringify('x'.repeat(10_000));

/** A server of 8 MB, and a store that is filled until it takes no more. */
async function fullStore(t: TestContext): Promise<{ server: OwnServer; store: Store; jobs: number }> {
  const server = await ownServer(t, {
    args: ['--maxmemory', '8mb', '--maxmemory-policy', 'noeviction'],
  });
  const store = await server.open();
  const error = await fill(store);
  assert.equal(error.code, 'STORE_FULL');
  assert.equal(error.retryable, true);
  assert.match(error.message, /has no memory left, so nothing of the batch was written .*Raise maxmemory/);
  const [queue] = await store.queues();
  return { server, store, jobs: queue?.counts.ready ?? 0 };
}

/** Enqueues until the store refuses; what it said. */
async function fill(store: Store): Promise<LongshoreError> {
  for (let batch = 0; batch < 1_000; batch += 1) {
    try {
      await store.enqueue(Array.from({ length: 20 }, () => spec({ input: INPUT })));
    } catch (error) {
      assert.ok(error instanceof LongshoreError);
      return error;
    }
  }
  throw new Error('The store was never full.');
}

test('a full store takes no job, while workers claim, settle, beat and are looked at', async (t) => {
  const { store, jobs } = await fullStore(t);
  assert.ok(jobs > 0 && jobs % 20 === 0, `whole batches of 20, and not ${jobs} jobs`);
  const { leases } = await store.claim(claimRequest({ limit: 40 }));
  assert.equal(leases.length, 40);
  await store.annotate(leases.slice(0, 1).map(({ id, token }) => ({ id, token, progress: '1' })));
  const receipts = await store.settle(leases.map(({ id, token }) => ({ id, token, outcome: completed() })));
  assert.ok(receipts.every(({ status }) => status === 'settled'));
  assert.equal(await store.lock.acquire({ name: 'leader', holder: 'me', ttlMs: 1_000 }), true);
  assert.equal((await store.list({ limit: 5, states: ['completed'] })).jobs.length, 5);
  // The server counts its buffers, too: what they gave up in between may take a few jobs more.
  assert.equal((await fill(store)).code, 'STORE_FULL');
});

test('pruning a full store makes room for jobs again', async (t) => {
  const { store } = await fullStore(t);
  await store.configureQueue('q', { retention: { completed: { ageMs: null, count: 1 } } });
  const { leases } = await store.claim(claimRequest({ limit: 100 }));
  await store.settle(leases.map(({ id, token }) => ({ id, token, outcome: completed() })));
  assert.equal((await fill(store)).code, 'STORE_FULL');
  const ready = (await store.queues())[0]?.counts.ready ?? 0;
  assert.equal((await store.prune()).jobs, 99);
  const again = await store.enqueue(Array.from({ length: 20 }, () => spec({ input: INPUT })));
  assert.equal(again.length, 20);
  assert.equal((await store.queues())[0]?.counts.ready, ready + 20);
});

test('clearing a full store makes room for jobs again', async (t) => {
  const { store, jobs } = await fullStore(t);
  assert.equal(await store.clear('q', ['ready']), jobs);
  assert.equal((await store.enqueue([spec({ input: INPUT })]))[0]?.status, 'created');
});

test('a worker empties a full store, and producers that try again get through', async (t) => {
  const { server, jobs } = await fullStore(t);
  const longshore = await connect(server.url);
  t.after(() => longshore.close());
  await longshore.queues.setRetention('q', { completed: { ageMs: 0, count: 0 } });
  let ran = 0;
  const task = defineTask({
    name: 'task',
    run: () => {
      ran += 1;
    },
  });
  const worker = longshore.worker({ tasks: [task], queues: ['q'] });
  await worker.runUntilIdle();
  assert.equal(ran, jobs);
  await longshore.enqueue(task, 'x'.repeat(10_000), { queue: 'q' });
});
