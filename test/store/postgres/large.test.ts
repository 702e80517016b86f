import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { toStoreError } from '../../../src/store/postgres/errors.ts';
import { merge, split } from '../../../src/store/postgres/merge.ts';
import { openStore } from '../../../src/store/postgres/open.ts';
import type { JobSpec } from '../../../src/store/store.ts';
import { claimRequest, completed, ids, retried, spec } from '../../../src/testing/store-conformance/trial.ts';
import { Ground } from './ground.ts';

/** Each job has 300 characters, as they are counted. */
const INPUT = JSON.stringify('x'.repeat(98));
const specs = (count: number): JobSpec[] => Array.from({ length: count }, () => spec({ input: INPUT }));
const SIZES = { together: 1_000, alone: 2_000 };

test('calls become statements of bounded size, and each is answered with what is its own', () => {
  const enqueue = (input: readonly JobSpec[]) => ({ verb: 'enqueue', input, now: undefined }) as const;
  const group = [specs(2), specs(1), specs(1), specs(15), specs(0)].map(enqueue);
  const { works, parts } = merge(group, SIZES);
  assert.deepEqual(
    works.map(({ input }) => (input as unknown[]).length),
    [3, 1, 6, 6, 3],
  );
  const values = works.map(({ input }) => ids(input as readonly JobSpec[]));
  assert.deepEqual(
    split(parts, values),
    group.map(({ input }) => ids(input)),
  );
});

test('a call that is larger than a statement is one transaction', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await openStore(ground.url, {}, SIZES);
  ground.finally(() => store.close());
  const bad = spec({ priority: 2 ** 40 });
  await assert.rejects(store.enqueue([...specs(20), bad]));
  assert.deepEqual((await store.list({ limit: 10 })).jobs, []);

  const jobs = specs(20);
  const [first] = jobs as [JobSpec];
  const receipts = await store.enqueue([...jobs, first]);
  assert.deepEqual(ids(receipts), [...ids(jobs), first.id]);
  assert.deepEqual([receipts[19]?.status, receipts[20]?.status], ['created', 'existing']);
  const { now: _, ...request } = claimRequest({ limit: 50 });
  const { leases } = await store.claim(request);
  assert.deepEqual(ids(leases), ids(jobs));

  const notes = leases.map(({ id, token }) => ({ id, token, progress: INPUT }));
  const lost = { id: first.id, token: '9.9' };
  assert.deepEqual(await store.annotate([...notes, lost]), [...notes.map(() => 'noted'), 'lost']);
  const outcomes = leases.map(({ id, token }, index) => ({
    id,
    token,
    outcome: index % 4 === 1 ? retried(0) : completed(INPUT),
  }));
  const settled = await store.settle([...outcomes, ...outcomes.slice(0, 1)]);
  assert.deepEqual(
    settled.map((receipt) => (receipt.status === 'settled' ? receipt.state : 'lost')),
    [...outcomes.map(({ outcome }) => (outcome.type === 'completed' ? 'completed' : 'ready')), 'lost'],
  );
});

test("a large batch in a transaction of the caller's is there if that commits", async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await openStore(ground.url, {}, SIZES);
  ground.finally(() => store.close());
  const client = new pg.Client({ connectionString: ground.server });
  await client.connect();
  ground.finally(() => client.end());
  for (const end of ['ROLLBACK', 'COMMIT']) {
    const jobs = specs(20);
    await client.query('BEGIN');
    assert.deepEqual(ids(await store.enqueue(jobs, { tx: client })), ids(jobs));
    await client.query(end);
    const found = await store.get(ids(jobs));
    assert.ok(found.every((job) => (job === null) === (end === 'ROLLBACK')));
  }
});

test('a value that is too large for the database is said to be, for good', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  await assert.rejects(ground.query("SELECT repeat('x', 1100000000)"), (error) => {
    const { code, retryable } = toStoreError(error, ground.place);
    assert.deepEqual([code, retryable], ['PAYLOAD_TOO_LARGE', false], String(error));
    return true;
  });
  const tooLong = () => 'x'.repeat(2 ** 30);
  assert.throws(tooLong, (error) => toStoreError(error, ground.place).code === 'PAYLOAD_TOO_LARGE');
});
