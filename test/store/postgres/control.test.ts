import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openHeart } from '../../../src/store/postgres/keep-alive.ts';
import { openSession, type Session } from '../../../src/store/postgres/session.ts';
import type { JobCommand, JobSpec, Lease, Store } from '../../../src/store/store.ts';
import { beatOf, completed, failed, spec } from '../../../src/testing/store-conformance/trial.ts';
import { eventually } from '../../stage.ts';
import { DeafProxy } from './deaf-proxy.ts';
import { Ground } from './ground.ts';

const T0 = Date.UTC(2026, 0, 1);

function specs(length: number, changes: Partial<JobSpec> = {}): JobSpec[] {
  return Array.from({ length }, () => spec(changes));
}

async function claim(store: Store, limit: number, leaseMs = 30_000): Promise<readonly Lease[]> {
  return (await store.claim({ workerId: 'w1', queues: ['q'], limit, leaseMs, now: T0 })).leases;
}

async function session(ground: Ground): Promise<Session> {
  const made = await openSession(ground.place);
  ground.finally(() => made.close());
  return made;
}

test('commands of one batch meet the effects of those before, whichever table the job is in', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  const [{ id } = assert.fail()] = specs(1);
  await store.enqueue([spec({ id })], { now: T0 });
  const types = ['cancel', 'cancel', 'redrive', 'redrive', 'cancel', 'remove', 'remove'] as const;
  const receipts = await store.control(
    types.map((type): JobCommand => ({ type, id, by: 'ada', why: type })),
    { now: T0 },
  );
  assert.deepEqual(
    receipts.map(({ status, state }) => `${status} ${state}`),
    [
      'done cancelled',
      'refused cancelled',
      'done ready',
      'refused ready',
      'done cancelled',
      'done null',
      'unknown null',
    ],
  );
});

test('a batch of a thousand redrives is exact: every job once, in its old place, and its trail kept', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  const all = specs(1_000);
  const thousand = { workerId: 'w1', queues: ['q'], limit: 1_000, leaseMs: 30_000 };
  await store.enqueue(all);
  const leases = (await store.claim(thousand)).leases;
  await store.settle(leases.map(({ id, token }) => ({ id, token, outcome: failed() })));
  const commands = all.map(({ id }): JobCommand => ({ type: 'redrive', id, by: 'ada', why: null }));
  // Twice at once, from two connections: each job is redriven by one of them.
  const other = await ground.store();
  const both = await Promise.all([store.control(commands), other.control([...commands].reverse())]);
  const done = both.flat().filter(({ status }) => status === 'done');
  assert.equal(done.length, 1_000);
  assert.ok(
    both
      .flat()
      .every(({ status, state }) => status === 'done' || (status === 'refused' && state === 'ready')),
  );
  const again = (await store.claim(thousand)).leases;
  assert.deepEqual(
    again.map(({ id }) => id),
    all.map(({ id }) => id),
  );
  const trail = await store.trail(all[0]?.id ?? '');
  assert.deepEqual([trail?.errors.length, trail?.audit.length], [1, 1]);
});

test('half of a pair of surrogates, which is no text, refuses no command, beat, note or outcome', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  const half = 'a\ud800b';
  const jobs = specs(2);
  await store.enqueue(jobs, { now: T0 });
  const [lease = assert.fail()] = await claim(store, 1);
  const [cancelled] = await store.control([{ type: 'cancel', id: jobs[1]?.id ?? '', by: half, why: half }]);
  assert.equal(cancelled?.status, 'done');
  const beat = beatOf('w1', T0);
  await store.beat({ ...beat, worker: { ...beat.worker, host: half, tasks: [half], queues: [half] } });
  assert.deepEqual((await store.workers())[0]?.tasks, ['a\ufffdb']);
  const { id, token } = lease;
  assert.deepEqual(await store.annotate([{ id, token, progress: half }]), ['noted']);
  assert.deepEqual(await store.settle([{ id, token, outcome: completed(`${half}\u001f`) }]), [
    { status: 'settled', state: 'completed' },
  ]);
});

test('of reapers at once, one takes back each job', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const stores = await Promise.all([ground.store(), ground.store(), ground.store()]);
  const [store] = stores;
  await store.enqueue(specs(300), { now: T0 });
  for (let batch = 0; batch < 30; batch += 1) await claim(store, 10, 1_000);
  const receipts = await Promise.all(stores.map((one) => one.reap({ now: T0 + 1_000 })));
  const reaped = receipts.flatMap((receipt) => receipt.reaped.map(({ id }) => id));
  assert.equal(new Set(reaped).size, reaped.length);
  const rest = await store.reap({ now: T0 + 1_000 });
  assert.equal(reaped.length + rest.reaped.length, 300);
  assert.deepEqual(await ground.query(`SELECT 1 FROM ${ground.name}.lease`), []);
});

test('a lease that somebody renews at this moment is left to the next reap', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  await store.enqueue(specs(1), { now: T0 });
  await claim(store, 1, 1_000);
  const renewing = await session(ground);
  await renewing.query(`BEGIN; UPDATE ${ground.name}.lease SET expires_at = ${T0 + 60_000}`);
  assert.deepEqual(await store.reap({ now: T0 + 1_000 }), { reaped: [] });
  await renewing.query('COMMIT');
  assert.deepEqual(await store.reap({ now: T0 + 1_000 }), { reaped: [] });
  assert.equal((await store.reap({ now: T0 + 60_000 })).reaped.length, 1);
});

test('a beat renews what it can while a transaction that hangs holds some of the leases', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  await store.enqueue(specs(2), { now: T0 });
  await claim(store, 1);
  await claim(store, 1);
  const hanging = await session(ground);
  await hanging.query('BEGIN');
  const [held] = await hanging.query<{ token: number }>(
    `SELECT token FROM ${ground.name}.lease ORDER BY token LIMIT 1 FOR UPDATE`,
  );
  const heart = await openHeart(ground.url);
  ground.finally(() => heart.close());
  const receipt = await heart.beat({ ...beatOf('w1', T0 + 20_000), leaseMs: 30_000 });
  assert.equal(receipt.held.length, 2);
  const leases = await ground.query<{ token: string; expires_at: string }>(
    `SELECT token, expires_at FROM ${ground.name}.lease ORDER BY token`,
  );
  assert.deepEqual(
    leases.map(({ token, expires_at }) => [Number(token) === held?.token, Number(expires_at) - T0]),
    [
      [true, 30_000],
      [false, 50_000],
    ],
  );
});

test('a beat never says that a job is lost which a claim under way is taking', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const heart = await openHeart(ground.url);
  ground.finally(() => heart.close());
  const claiming = await session(ground);
  await claiming.query('BEGIN');
  const [claimed] = await claiming.query<{ at: number }>(`SELECT ${ground.name}.now_ms() AS at`);
  const { now: _given, ...beat } = beatOf('w1', T0);
  const during = await heart.beat(beat);
  assert.ok(during.now <= (claimed?.at ?? 0), 'told as of a time before the claim');
  await claiming.query('COMMIT');
  const after = await heart.beat(beat);
  assert.ok(after.now > during.now);
});

test('the heart makes a connection that broke anew with its next beat', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const heart = await openHeart(ground.urlWith({ application_name: ground.schema }));
  ground.finally(() => heart.close());
  const beat = beatOf('w1', T0);
  await heart.beat(beat);
  await ground.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [
    ground.schema,
  ]);
  assert.equal((await heart.beat(beat)).now, T0);
});

test('a heart that was given up in the midst of a beat leaves no connection behind', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const proxy = await DeafProxy.start(t, ground.server);
  const name = `heart ${ground.schema}`;
  const heart = await openHeart(
    ground.urlWith({ host: '127.0.0.1', port: proxy.port, application_name: name }),
  );
  const open = () => ground.query('SELECT FROM pg_stat_activity WHERE application_name = $1', [name]);
  assert.equal((await open()).length, 1);
  proxy.deaf = true;
  const beating = heart.beat(beatOf('w1', T0));
  const refused = assert.rejects(beating, { code: 'STORE_UNAVAILABLE' });
  await eventually(async () => (await ground.query(`SELECT FROM ${ground.name}.worker`)).length > 0);
  proxy.deaf = false;
  await heart.close();
  await refused;
  await eventually(async () => (await open()).length === 0);
});

test('clear takes jobs of both tables, and their keys and trails with them', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  const unique = { key: 'k', mode: 'existing', periodMs: 3_600_000 } as const;
  await store.enqueue([spec({ unique }), ...specs(20)], { now: T0 });
  const leases = await claim(store, 10);
  await store.settle(
    leases.slice(0, 5).map(({ id, token }) => ({ id, token, outcome: completed() })),
    { now: T0 },
  );
  await store.enqueue([spec({ queue: 'other' })], { now: T0 });
  const states = ['ready', 'running', 'completed'] as const;
  assert.equal(await store.clear('q', states), 21);
  for (const table of ['lease', 'job_trail', 'unique_key', 'history'])
    assert.deepEqual(await ground.query(`SELECT 1 FROM ${ground.name}.${table}`), [], table);
  assert.equal((await store.list({ limit: 10 })).jobs.length, 1);
});
