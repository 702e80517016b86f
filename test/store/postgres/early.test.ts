import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { startPostgres } from '../../../setup/services/index.mjs';
import { postgresDriver } from '../../../src/store/postgres/index.ts';
import type { JobSpec } from '../../../src/store/store.ts';
import { claimRequest, completed, spec } from '../../../src/testing/store-conformance/trial.ts';
import { eventually } from '../../stage.ts';
import { Ground } from './ground.ts';

/** With the server's clock, so that leases do not end meanwhile. */
const claimNow = () => {
  const { now: _, ...request } = claimRequest({ limit: 10 });
  return request;
};

const fresh = (): JobSpec => ({ ...spec(), isNew: true });

/** Nobody gets past this: the server cannot tell an enqueue that its job is on the disk. */
const holdDisk = async (ground: Ground): Promise<void> => {
  await ground.query('BEGIN');
  await ground.query(`LOCK TABLE ${ground.name}.flush IN ACCESS EXCLUSIVE MODE`);
};

/** The process of the one statement that waits for the disk. */
const untilOneWaits = async (ground: Ground, statement: 'CALL' | 'SELECT'): Promise<number> => {
  let pid: number | undefined;
  await eventually(async () => {
    await ground.query('SELECT pg_stat_clear_snapshot()');
    const [row] = await ground.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1`,
      [`${statement}%${ground.schema}%`],
    );
    pid = row?.pid;
    return pid !== undefined;
  });
  return pid as number;
};

test('a job is claimed while its enqueue still waits for the disk', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const [store, other] = [await ground.store(), await ground.store()];
  const job = fresh();
  await holdDisk(ground);
  const enqueuing = store.enqueue([job]);
  await untilOneWaits(ground, 'CALL');
  const { leases } = await other.claim(claimNow());
  assert.deepEqual(
    leases.map(({ id, attempt, input }) => ({ id, attempt, input })),
    [{ id: job.id, attempt: 1, input: job.input }],
  );
  await untilOneWaits(ground, 'CALL');
  await ground.query('COMMIT');
  assert.deepEqual(await enqueuing, [{ status: 'created', id: job.id, state: 'ready' }]);
});

for (const [title, locked] of [
  ['by whichever row is free', 63],
  ['also where no row is free', 64],
] as const) {
  test(`an enqueue waits for the disk, and for nobody else, ${title}`, async (t) => {
    const ground = await Ground.migrated(t);
    if (ground === undefined) return;
    const store = await ground.store();
    await ground.query('BEGIN');
    await ground.query(`SELECT FROM ${ground.name}.flush WHERE number < ${locked} FOR UPDATE`);
    for (let n = 0; n < 3; n += 1) assert.equal((await store.enqueue([fresh()]))[0]?.status, 'created');
    await ground.query('COMMIT');
  });
}

for (const [title, end, state] of [
  ['is cut off', 'pg_terminate_backend', 'ready'],
  ['is cut off, its job having ended', 'pg_terminate_backend', 'completed'],
  ['is cancelled', 'pg_cancel_backend', 'ready'],
] as const) {
  test(`an enqueue that ${title} before the job is on the disk, is answered when it is, and adds one job`, async (t) => {
    const ground = await Ground.migrated(t);
    if (ground === undefined) return;
    const [store, other] = [await ground.store(), await ground.store()];
    const job = fresh();
    await holdDisk(ground);
    const enqueuing = store.enqueue([job]);
    const pid = await untilOneWaits(ground, 'CALL');
    if (state === 'completed') await runAll(other);
    await ground.query(`SELECT ${end}($1)`, [pid]);
    // The repeat, which has found the job.
    await untilOneWaits(ground, 'SELECT');
    await ground.query('COMMIT');
    assert.deepEqual(await enqueuing, [{ status: 'existing', id: job.id, state }]);
    assert.deepEqual(
      (await other.list({ limit: 10 })).jobs.map(({ id }) => id),
      [job.id],
    );
  });
}

test('what was acknowledged is on the disk, and there after the server crashed, though nothing else wrote to the disk', async (t) => {
  // The server's own writer, which would come by sooner, is kept away.
  const settings = { synchronous_commit: 'on', wal_writer_delay: '10s', autovacuum: 'off' };
  const server = await startPostgres({ settings });
  t.after(() => server.stop());
  await postgresDriver.migrate(server.url, { dryRun: false });
  const store = await postgresDriver.open(server.url, {});
  const admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  const jobs = Array.from({ length: 20 }, fresh);
  for (const job of jobs) {
    const { rows } = await admin.query<{ end: string }>('SELECT pg_current_wal_insert_lsn() AS end');
    await store.enqueue([job]);
    const flushed = await admin.query<{ more: boolean }>(
      'SELECT pg_current_wal_flush_lsn() > $1::pg_lsn AS more',
      [rows[0]?.end],
    );
    assert.deepEqual(flushed.rows, [{ more: true }]);
  }
  await admin.end();
  await server.kill();
  await server.restart();
  const found = await store.get(jobs.map(({ id }) => id));
  await store.close();
  assert.deepEqual(
    found.map((job) => job?.state),
    jobs.map(() => 'ready'),
  );
});

async function runAll(store: Awaited<ReturnType<Ground['store']>>): Promise<void> {
  const { leases } = await store.claim(claimNow());
  assert.equal(leases.length, 1);
  await store.settle(leases.map((lease) => ({ ...lease, outcome: completed(null) })));
}
