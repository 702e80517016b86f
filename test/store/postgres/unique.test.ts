import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { completed, spec } from '../../../src/testing/store-conformance/trial.ts';
import { Ground } from './ground.ts';

const unique = { key: 'k', mode: 'replace', periodMs: 0 } as const;
const claimOne = { workerId: 'w', queues: ['q'], limit: 1, leaseMs: 30_000 };

/** A running job that holds the key, and a transaction of a user that gave the key to another job and lasts. */
async function replacedWhileRunning(t: TestContext) {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  // A settlement that waits for the transaction fails soon.
  const store = await ground.store({}, ground.urlWith({ timeoutMs: '1000' }));
  const holder = spec({ unique });
  await store.enqueue([holder]);
  const { leases } = await store.claim(claimOne);
  const settle = () => store.settle(leases.map((lease) => ({ ...lease, outcome: completed() })));
  await ground.query('BEGIN');
  const heir = spec({ unique });
  assert.deepEqual(await store.enqueue([heir], { tx: ground.admin }), [
    { status: 'created', id: heir.id, state: 'ready' },
  ]);
  return { ground, store, heir, settle };
}

test('a running job whose key a transaction of a user takes ends while that transaction lasts', async (t) => {
  const made = await replacedWhileRunning(t);
  if (made === undefined) return;
  const { ground, store, heir, settle } = made;
  assert.deepEqual(await settle(), [{ status: 'settled', state: 'completed' }]);
  await ground.query('COMMIT');
  const [late] = await store.enqueue([spec({ unique: { ...unique, mode: 'existing' } })]);
  assert.deepEqual(late, { status: 'existing', id: heir.id, state: 'ready' });
});

test('and where that transaction is undone, the key of the job that ended is free', async (t) => {
  const made = await replacedWhileRunning(t);
  if (made === undefined) return;
  const { ground, store, settle } = made;
  assert.deepEqual(await settle(), [{ status: 'settled', state: 'completed' }]);
  await ground.query('ROLLBACK');
  const next = spec({ unique: { ...unique, mode: 'existing' } });
  assert.equal((await store.enqueue([next]))[0]?.status, 'created');
  const { leases } = await store.claim(claimOne);
  await store.settle(leases.map((lease) => ({ ...lease, outcome: completed() })));
  assert.deepEqual(await ground.query(`SELECT key FROM ${ground.name}.unique_key`), []);
});
