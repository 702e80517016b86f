import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { channelOf } from '../../../src/store/postgres/hints.ts';
import { openSession, type Session } from '../../../src/store/postgres/session.ts';
import { completed, failed, ids, spec } from '../../../src/testing/store-conformance/trial.ts';
import { eventually } from '../../stage.ts';
import { Ground } from './ground.ts';

/** What claims of a queue with limits hold until they commit. */
async function holdQueue(ground: Ground, queue: string): Promise<void> {
  await ground.query('SELECT pg_advisory_xact_lock(hashtext($1), -1)', [
    `${channelOf(ground.schema)} ${queue}`,
  ]);
}

/** Whether so many wait for a lock that the ground's own connection holds. */
async function isWaiting(ground: Ground, beside: Session, many = 1): Promise<boolean> {
  const rows = await beside.query(
    `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND position($1 IN query) > 0`,
    [ground.schema],
  );
  return rows.length >= many;
}

async function session(ground: Ground): Promise<Session> {
  const made = await openSession(ground.place);
  ground.finally(() => made.close());
  return made;
}

async function migrated(t: TestContext) {
  const ground = await Ground.migrated(t);
  return ground && { ground, store: await ground.store(), beside: await session(ground) };
}

test('claims of several limited queues in different orders never wait for each other', async (t) => {
  const made = await migrated(t);
  if (made === undefined) return;
  const { ground, store, beside } = made;
  for (const queue of ['a', 'b']) await store.configureQueue(queue, { limits: { concurrency: 10 } });
  await store.enqueue([spec({ queue: 'a' }), spec({ queue: 'b' })]);
  const claimers = [await session(ground), await session(ground)];
  await ground.query('BEGIN');
  for (const queue of ['a', 'b']) await holdQueue(ground, queue);
  const claims = ['{a,b}', '{b,a}'].map((queues, index) =>
    claimers[index]?.query<{ id: string | null }>(
      `SELECT nullif(split_part(head, ';', 6), '') AS id FROM ${ground.name}.claim_jobs('w', $1, $2, 10, 30000, NULL)`,
      [randomUUID(), queues],
    ),
  );
  await eventually(() => isWaiting(ground, beside, 2));
  await ground.query('COMMIT');
  const claimed = (await Promise.all(claims)).flatMap((rows) => rows?.filter(({ id }) => id !== null));
  assert.equal(claimed.length, 2);
});

test('a claim that waited for another one counts its jobs as started when it went on', async (t) => {
  const made = await migrated(t);
  if (made === undefined) return;
  const { ground, store, beside } = made;
  const jobs = [spec(), spec()];
  await store.enqueue(jobs);
  await store.configureQueue('q', { limits: { rate: { count: 1, perMs: 60_000 } } });
  await ground.query('BEGIN');
  await holdQueue(ground, 'q');
  const claiming = store.claim({ workerId: 'w', queues: ['q'], limit: 10, leaseMs: 30_000 });
  await eventually(() => isWaiting(ground, beside));
  await ground.query('SELECT pg_sleep(0.02)');
  const [{ released } = { released: '' }] = await ground.query<{ released: string }>(
    `SELECT ${ground.name}.now_ms() AS released`,
  );
  await ground.query('COMMIT');
  const { now, leases } = await claiming;
  assert.deepEqual(ids(leases), [jobs[0]?.id]);
  assert.ok(now >= Number(released));
  const starts = await ground.query<{ at: string }>(`SELECT at FROM ${ground.name}.start`);
  assert.deepEqual(starts, [{ at: String(now) }]);
});

test('a claim that waited for another one takes what is first when it goes on', async (t) => {
  const made = await migrated(t);
  if (made === undefined) return;
  const { ground, store, beside } = made;
  await store.configureQueue('q', { limits: { concurrency: 10, perKey: { concurrency: 1 } } });
  const claim = () => store.claim({ workerId: 'w', queues: ['q'], limit: 1, leaseMs: 30_000 });
  /** Claims while another claim goes on, which is over when that was done. */
  const claimAfter = async (done: () => Promise<unknown>) => {
    await ground.query('BEGIN');
    await holdQueue(ground, 'q');
    const claiming = claim();
    await eventually(() => isWaiting(ground, beside));
    await done();
    await ground.query('COMMIT');
    return ids((await claiming).leases);
  };
  const [first, next] = [spec({ key: 'k' }), spec({ key: 'k' })];
  const [urgent, late] = [spec({ priority: -1 }), spec({ priority: 9 })];
  await store.enqueue([first, next]);
  const [lease] = (await claim()).leases;
  assert.ok(lease !== undefined);
  await store.enqueue([late]);
  assert.deepEqual(await claimAfter(() => store.enqueue([urgent])), [urgent.id]);
  assert.deepEqual(await claimAfter(() => store.settle([{ ...lease, outcome: completed() }])), [next.id]);
});

test('a smaller window counts for jobs that were on their way when it was set', async (t) => {
  const made = await migrated(t);
  if (made === undefined) return;
  const { ground, store, beside } = made;
  const jobs = [1, 2, 3].map(() => spec({ key: 'k' }));
  await ground.query('BEGIN');
  await ground.query(`SELECT * FROM ${ground.name}.enqueue_batch($1, 1, false, NULL, NULL)`, [
    JSON.stringify(jobs),
  ]);
  let set = false;
  const setting = store.configureQueue('q', { limits: { perKey: { concurrency: 1 } } }).then(() => {
    set = true;
  });
  await eventually(async () => set || (await isWaiting(ground, beside)));
  await ground.query('COMMIT');
  await setting;
  const { leases } = await store.claim({ workerId: 'w', queues: ['q'], limit: 10, leaseMs: 30_000 });
  assert.deepEqual(ids(leases), [jobs[0]?.id]);
});

test('the next jobs of keys come in the order in which a batch ended those before, whatever their outcomes', async (t) => {
  const made = await migrated(t);
  if (made === undefined) return;
  const { store } = made;
  await store.configureQueue('q', { limits: { perKey: { concurrency: 1 } } });
  const keys = ['a', 'b', 'c', 'd'];
  await store.enqueue([1, 2, 3].flatMap(() => keys.map((key) => spec({ key }))));
  const claim = async () =>
    (await store.claim({ workerId: 'w', queues: ['q'], limit: 10, leaseMs: 30_000 })).leases;
  let leases = await claim();
  for (const outcomes of [
    { c: completed(), a: failed(), d: completed(), b: failed() },
    { d: completed(), b: completed(), a: completed(), c: completed() },
  ]) {
    const ends = Object.entries(outcomes).map(([key, outcome]) => {
      const lease = leases.find((one) => one.key === key);
      assert.ok(lease !== undefined);
      return { id: lease.id, token: lease.token, outcome };
    });
    assert.ok((await store.settle(ends)).every(({ status }) => status === 'settled'));
    leases = await claim();
    assert.deepEqual(
      leases.map(({ key }) => key),
      Object.keys(outcomes),
    );
  }
});
