/** A completion in a user's transaction that stays open keeps nobody waiting (migrations/0030-departures.sql). */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import pg from 'pg';
import { postgresDriver } from '../../../src/store/postgres/index.ts';
import type { JobSpec, Lease, Store } from '../../../src/store/store.ts';
import type { Completion, Transactions } from '../../../src/store/transactions.ts';
import { due, plant, reporting } from '../../../src/testing/store-conformance/plan-trial.ts';
import {
  beatOf,
  claimRequest,
  completed,
  ids,
  LEASE_MS,
  only,
  spec,
  T0,
  Trial,
} from '../../../src/testing/store-conformance/trial.ts';
import { freshSchema } from '../../fresh-schema.ts';
import { serverUrl } from '../../servers.ts';

/** Every kind of job that leaves something to others: each is held up if its end holds something they need. */
const KINDS: Readonly<Record<string, Partial<JobSpec>>> = {
  plain: {},
  'with a key of turns': { key: 'k' },
  'with a unique key': { unique: { key: 'u', mode: 'existing', periodMs: 0 } },
  'of a plan': reporting('s:held:0'),
};

const ISOLATIONS = ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'];

interface Scene {
  readonly trial: Trial;
  readonly store: Store;
  readonly transactions: Transactions;
  readonly user: pg.Client;
  readonly url: string;
  readonly schema: string;
}

async function setUp(t: TestContext): Promise<Scene | undefined> {
  const server = await serverUrl(t, 'postgres');
  if (server === undefined) return undefined;
  const place = await freshSchema(server, postgresDriver);
  const trial = new Trial(async (options) => {
    const store = await postgresDriver.open(place.url, options);
    return { store, close: async () => store.close().then(() => place.remove()) };
  });
  const user = new pg.Client({ connectionString: server });
  await user.connect();
  t.after(async () => {
    await user.end();
    await trial.close();
  });
  const store = await trial.openFresh();
  const schema = new URL(place.url).searchParams.get('schema') as string;
  return { trial, store, transactions: store.transactions as Transactions, user, url: place.url, schema };
}

function completionOf({ id, token }: Lease): Completion {
  return { id, token, outcome: { type: 'completed', result: null } };
}

describe('while a completion is held open in a transaction of a user’s', () => {
  for (const [kind, changes] of Object.entries(KINDS))
    for (const isolation of ISOLATIONS)
      test(`others of its batch, other batches, enqueues and beats go on: a job ${kind}, ${isolation}`, async (t) => {
        const scene = await setUp(t);
        if (scene === undefined) return;
        const { trial, store, transactions, user } = scene;
        await plant(trial);
        const others = { ...changes, unique: null, meta: null };
        await store.enqueue([spec(changes), spec(others), spec(), spec(others)], { now: T0 });
        await store.beat(beatOf('w1', T0));
        const [held, second, third, fourth] = (await trial.claim()) as [Lease, Lease, Lease, Lease];
        await user.query(`BEGIN ISOLATION LEVEL ${isolation}`);
        await user.query('SELECT 1');
        const complete = await transactions.complete(user, completionOf(held), { now: T0 });
        assert.deepEqual(complete, { status: 'settled', state: 'completed' });

        // Nothing here may wait for the user: the transaction ends only afterwards.
        const settle = [second, third].map(({ id, token }) => ({ id, token, outcome: completed() }));
        const receipts = await store.settle(settle, { now: T0 });
        assert.deepEqual(receipts, [complete, complete]);
        const added = await trial.add({ key: changes.key ?? null });
        const next = only(await trial.claim({ workerId: 'w2' }));
        assert.equal(next.id, added);
        await trial.settle(next, completed());
        const { held: beating } = await store.beat(beatOf('w1', T0 + 1_000));
        assert.deepEqual(beating, [held.id, fourth.id]);
        assert.deepEqual((await store.reap({ now: T0 + LEASE_MS })).reaped, [], 'the beat renewed the lease');
        const dead = await trial.start({}, { workerId: 'w3' });
        const { reaped } = await store.reap({ now: T0 + LEASE_MS });
        assert.deepEqual(ids(reaped), [dead.id]);
        await store.prune({ now: T0 });
        const [open] = await transactions.confirm([completionOf(held)], { now: T0 });
        assert.deepEqual(open, { status: 'open' });
        await trial.settle(fourth, completed());

        await user.query('COMMIT');
        const [confirmed] = await transactions.confirm([completionOf(held)], { now: T0 });
        assert.deepEqual(confirmed, complete);
        assert.equal((await trial.job(held.id)).state, 'completed');
        if (changes.meta !== undefined) assert.equal((await due(trial, 'p')).reports.length, 1);
        const left = await user.query(`SELECT FROM ${scene.schema}.lease WHERE worker_id = 'w1'`);
        assert.equal(left.rowCount, 0, 'no lease is left');
      });
});

for (const isolation of ISOLATIONS)
  test(`the next of a key that was enqueued after the transaction began is let in: ${isolation}`, async (t) => {
    const scene = await setUp(t);
    if (scene === undefined) return;
    const { trial, store, transactions, user } = scene;
    await store.configureQueue('q', { limits: { perKey: { ordered: true } } });
    const first = await trial.start({ key: 'k' });
    await user.query(`BEGIN ISOLATION LEVEL ${isolation}`);
    await user.query('SELECT 1');
    const second = await trial.add({ key: 'k' });
    await transactions.complete(user, completionOf(first), { now: T0 });
    await user.query('COMMIT');
    const third = await trial.add({ key: 'k' });
    assert.deepEqual(ids(await trial.claim()), []);
    await transactions.confirm([completionOf(first)], { now: T0 });
    const next = only(await trial.claim());
    assert.equal(next.id, second);
    await trial.settle(next, completed());
    assert.deepEqual(ids(await trial.claim()), [third]);
  });

test('a doctor finds nothing wrong with what has departed and is not confirmed', async (t) => {
  const scene = await setUp(t);
  if (scene === undefined) return;
  const { trial, store, transactions, user } = scene;
  await store.configureQueue('q', { limits: { perKey: { ordered: true } } });
  const first = await trial.start({ key: 'k' });
  await trial.add({ key: 'k' });
  await user.query('BEGIN');
  await transactions.complete(user, completionOf(first), { now: T0 });
  await user.query('COMMIT');
  const findings = await postgresDriver.doctor(scene.url);
  assert.deepEqual(
    findings.filter(({ level }) => level === 'fault'),
    [],
  );
});

test('of many who confirm and reap at once, each departure counts once', async (t) => {
  const scene = await setUp(t);
  if (scene === undefined) return;
  const { trial, store, transactions, user } = scene;
  await store.configureQueue('q', { limits: { concurrency: 100 } });
  await store.enqueue(
    Array.from({ length: 60 }, () => spec()),
    { now: T0 },
  );
  const leases = await trial.claim();
  await user.query('BEGIN');
  for (const lease of leases.slice(0, 40))
    await transactions.complete(user, completionOf(lease), { now: T0 });
  await user.query('COMMIT');
  const ended = leases.slice(0, 40).map(completionOf);
  await Promise.all([
    ...Array.from({ length: 4 }, () => transactions.confirm(ended, { now: T0 })),
    store.reap({ now: T0 }),
    store.settle(leases.slice(40, 50).map(completionOf), { now: T0 }),
  ]);
  const { rows } = await user.query(`SELECT sum(live) AS live FROM ${scene.schema}.lease`);
  assert.equal(Number(rows[0].live), 10);
  assert.equal((await store.claim(claimRequest())).leases.length, 0);
});
