import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toAttemptError } from '../../../src/core/errors.ts';
import { examinePlace } from '../../../src/store/postgres/doctor.ts';
import { postgresDriver } from '../../../src/store/postgres/index.ts';
import { openSession } from '../../../src/store/postgres/session.ts';
import type { Finding } from '../../../src/store/store.ts';
import { spec } from '../../../src/testing/store-conformance/trial.ts';
import { Ground } from './ground.ts';

function byCheck(findings: readonly Finding[]): Record<string, Finding> {
  return Object.fromEntries(findings.map((finding) => [finding.check, finding]));
}

async function look(ground: Ground): Promise<Record<string, Finding>> {
  return byCheck(await postgresDriver.doctor(ground.url));
}

/** What the server is set to is the user's; a test server may run without fsync. */
const OF_THE_SERVER = new Set(['durability', 'snapshots', 'vacuum']);

test('the doctor finds a sound store sound, and changes nothing', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const count = `SELECT count(*)::int AS parts FROM pg_class WHERE relnamespace = $1::regnamespace`;
  const before = await ground.query(count, [ground.name]);
  const findings = await postgresDriver.doctor(ground.url);
  for (const { check, level, remedy } of findings)
    if (!OF_THE_SERVER.has(check)) assert.deepEqual([check, level, remedy], [check, 'ok', null]);
  assert.ok(findings.length >= 12);
  assert.deepEqual(await ground.query(count, [ground.name]), before);
  assert.deepEqual(await ground.query(`SELECT 1 FROM pg_namespace WHERE nspname ~ '^longshore_doctor'`), []);
});

test('the doctor says that there is no server, and that there is no layout', async (t) => {
  const [finding] = await postgresDriver.doctor('postgres://ada@%2Fnowhere/jobs');
  assert.deepEqual([finding?.check, finding?.level], ['server', 'fault']);
  const ground = await Ground.make(t);
  if (ground === undefined) return;
  const { layout, tables } = await look(ground);
  assert.deepEqual([layout?.level, tables], ['fault', undefined]);
  assert.match(layout?.remedy ?? '', /longshore migrate/);
});

test('the doctor sees what is missing or was changed, and leaves alone what was added', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  await ground.query(`
    CREATE INDEX of_the_user ON ${ground.name}.job (task);
    DROP INDEX ${ground.name}.job_key;
    ALTER TABLE ${ground.name}.worker ALTER COLUMN host TYPE varchar(10);
    DROP FUNCTION ${ground.name}.unseen_ms();
    CREATE OR REPLACE FUNCTION ${ground.name}.now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT 1::bigint'`);
  const { tables } = await look(ground);
  assert.equal(tables?.level, 'fault');
  const parts = tables?.detail.replace(/\.$/, '').split(', ').sort();
  assert.deepEqual(parts, [
    'function now_ms() was changed',
    'function unseen_ms() is missing',
    'index job_key is missing',
    'table worker was changed',
  ]);
});

test('a migration whose text is not the one that was applied is a fault', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  await ground.query(`UPDATE ${ground.name}.migration SET digest = 'another' WHERE version = 1`);
  const { tables } = await look(ground);
  assert.equal(tables?.level, 'fault');
  assert.match(tables?.detail ?? '', /0001-tables are not those that were applied/);
});

test('the rights of docs/postgres.md are enough to run jobs, and for the doctor to find nothing wrong', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const role = await ground.role('hush');
  for (const rights of [
    'USAGE ON SCHEMA',
    'SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA',
    'USAGE, SELECT ON ALL SEQUENCES IN SCHEMA',
  ])
    await ground.query(`GRANT ${rights} ${ground.name} TO ${role}`);
  const url = ground.urlWith({ user: role, password: 'hush' });
  const store = await ground.store({}, url);
  await store.enqueue([spec()]);
  const [lease] = (await store.claim({ workerId: 'w', queues: ['q'], limit: 1, leaseMs: 10_000 })).leases;
  const { id, token } = lease ?? assert.fail('nothing was claimed');
  const [receipt] = await store.settle([{ id, token, outcome: { type: 'completed', result: null } }]);
  assert.equal(receipt?.status, 'settled');
  await store.prune();
  const findings = await postgresDriver.doctor(url);
  assert.deepEqual(
    findings.filter(({ check, level }) => level === 'fault' && !OF_THE_SERVER.has(check)),
    [],
  );
  assert.match(byCheck(findings).tables?.detail ?? '', /takes the right to create a schema/);
});

test('the doctor names who holds an old snapshot, and how to end it', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const other = await openSession(ground.place);
  ground.finally(() => other.close());
  await other.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  const [own] = await other.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const bounds = { snapshotMs: 0, clockMs: 1_000, deadRows: 100_000 };
  const { snapshots } = byCheck(await examinePlace(ground.place, { bounds }));
  assert.equal(snapshots?.level, 'note');
  assert.match(snapshots?.remedy ?? '', new RegExp(`pg_terminate_backend\\(${own?.pid}\\)`));
});

test('the doctor sees a pooler, expired leases, jobs without a worker, dead letters and strays of history', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  await store.enqueue([spec(), spec(), spec()]);
  const [lease] = (await store.claim({ workerId: 'w', queues: ['q'], limit: 2, leaseMs: 10, now: 1_000 }))
    .leases;
  const { id, token } = lease ?? assert.fail('nothing was claimed');
  const error = toAttemptError(new Error('no'), 1, 0);
  await store.settle([{ id, token, outcome: { type: 'failed', error } }], { now: 2_000 });
  const found = byCheck(await postgresDriver.doctor(ground.urlWith({ pgbouncer: 'true' })));
  const { pooler, leases, workers, history } = found;
  assert.match(pooler?.detail ?? '', /workers poll/);
  assert.match(leases?.detail ?? '', /1 job is running, 1 with an expired lease/);
  assert.match(workers?.remedy ?? '', /Start a worker/);
  assert.equal(found['dead letters']?.detail, '1 job is a dead letter.');
  assert.match(history?.detail ?? '', /no partition of a day/);
  assert.deepEqual(
    [pooler, leases, workers, history, found['dead letters']].map((finding) => finding?.level),
    ['note', 'note', 'note', 'note', 'note'],
  );
});
