import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { startPostgres } from '../../../setup/services/index.mjs';
import { connect, defineTask } from '../../../src/index.ts';
import { postgresDriver } from '../../../src/store/postgres/index.ts';
import { spec } from '../../../src/testing/store-conformance/trial.ts';
import { TcpProxy } from '../../proxy.ts';
import { eventually, Gate } from '../../stage.ts';
import { Ground } from './ground.ts';

const URL_BOUND = { timeoutMs: '300' };

/** A pool of one connection, which is out. */
async function emptyPool(ground: Ground): Promise<{ pool: pg.Pool; taken: pg.PoolClient }> {
  const pool = new pg.Pool({ connectionString: ground.server, max: 1 });
  // The first to be ended, before the store that borrows it is closed.
  const taken = await pool.connect();
  ground.finally(() => pool.end());
  return { pool, taken };
}

test('with a borrowed pool that has no free connection every call ends, and goes on once there is one', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const { pool, taken } = await emptyPool(ground);
  const url = ground.urlWith(URL_BOUND);
  await assert.rejects(connect(url, { client: pool }), {
    code: 'STORE_UNAVAILABLE',
    message: /pool gave no/,
  });
  taken.release();
  const longshore = await connect(url, { client: pool });
  const gate = new Gate();
  const task = defineTask({ name: 'task', run: () => gate.wait() });
  const worker = longshore.worker({ tasks: [task], pollMs: 20 });
  await worker.start();
  const job = await longshore.enqueue(task, 1);
  await gate.reached;
  const again = await pool.connect();
  const calls = {
    enqueue: () => longshore.enqueue(task, 2),
    list: () => longshore.jobs.list(),
    get: () => longshore.jobs.get(job.id),
    cancel: () => longshore.jobs.cancel(job.id),
    queues: () => longshore.queues.list(),
    pause: () => longshore.queues.pause('other'),
    drain: () => longshore.queues.drain('other'),
    workers: () => longshore.workers(),
    result: () => job.result({ timeoutMs: 100 }),
  };
  // Side by side, and more than there are connections: those behind wait for their turn as well.
  for (const [name, outcome] of await ended(calls)) assert.equal(outcome, 'rejected', name);
  assert.equal((await longshore.health({ timeoutMs: 100 })).ok, false);
  again.release();
  await eventually(() =>
    longshore.workers().then(
      () => true,
      () => false,
    ),
  );
  const last = await pool.connect();
  gate.open();
  await worker.stop({ graceMs: 50 });
  await longshore.close();
  last.release();
});

async function ended(calls: Readonly<Record<string, () => Promise<unknown>>>): Promise<[string, string][]> {
  const outcomes = await Promise.allSettled(Object.values(calls).map((call) => call()));
  return Object.keys(calls).map((name, place) => [name, outcomes[place]?.status ?? 'none']);
}

for (const sslmode of ['disable', 'require'] as const) {
  test(`a server that accepts connections and says nothing ends connect, migrate and doctor (sslmode ${sslmode})`, async (t) => {
    const ground = await Ground.migrated(t);
    if (ground === undefined) return;
    const proxy = await TcpProxy.start(t, ground.server);
    proxy.admits = 'silently';
    const url = proxy.through(ground.urlWith({ ...URL_BOUND, sslmode }));
    const pool = new pg.Pool({ connectionString: proxy.through(ground.server), max: 1 });
    await assert.rejects(connect(url), { code: 'STORE_UNAVAILABLE' });
    await assert.rejects(connect(url, { client: pool }), { code: 'STORE_UNAVAILABLE' });
    await assert.rejects(postgresDriver.migrate(url, { dryRun: false }), { code: 'STORE_UNAVAILABLE' });
    const [finding] = await postgresDriver.doctor(url);
    assert.deepEqual([finding?.check, finding?.level], ['server', 'fault']);
  });
}

test('a server that falls silent after the connection was made ends migrate and doctor', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const proxy = await TcpProxy.start(t, ground.server);
  // The first that either asks the server.
  proxy.onSaid = (link, data) => {
    if (data.includes('server_version_num')) link.stall();
  };
  const url = proxy.through(ground.urlWith(URL_BOUND));
  await assert.rejects(postgresDriver.migrate(url, { dryRun: false }), { code: 'STORE_UNAVAILABLE' });
  assert.deepEqual(
    (await postgresDriver.doctor(url)).map(({ check, level }) => [check, level]),
    [['server', 'fault']],
  );
});

test('after a failover calls find the new primary by themselves', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const old = await startPostgres();
  t.after(() => old.stop());
  const place = new URL(old.url);
  const oldUrl = ground.urlWith({ host: place.hostname, port: place.port, migrate: 'auto' });
  const proxy = await TcpProxy.start(t, old.url);
  const store = await ground.store({}, proxy.through(oldUrl));
  await store.enqueue([spec()]);
  const admin = new pg.Client({ connectionString: old.url });
  await admin.connect();
  await admin.query('ALTER SYSTEM SET default_transaction_read_only = on');
  await admin.query('SELECT pg_reload_conf()');
  await admin.end();
  proxy.port = Number(new URL(ground.server).port);
  const jobs = [spec(), spec()];
  // The server's processes hear of it when they are idle: the first may still be written there.
  await eventually(async () => {
    await store.enqueue(jobs);
    return (await ground.query(`SELECT FROM ${ground.name}.job WHERE id = $1`, [jobs[0]?.id])).length > 0;
  });
  const { leases } = await store.claim({ workerId: 'w', queues: ['q'], limit: 9, leaseMs: 30_000 });
  assert.deepEqual(
    leases.map(({ id }) => id),
    jobs.map(({ id }) => id),
  );
});
