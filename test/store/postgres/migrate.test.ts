import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postgresDriver } from '../../../src/store/postgres/index.ts';
import { knownVersion, migrations } from '../../../src/store/postgres/migrate.ts';
import { openSession } from '../../../src/store/postgres/session.ts';
import { spec } from '../../../src/testing/store-conformance/trial.ts';
import { Ground } from './ground.ts';

test('migrations are numbered once each, in order', () => {
  const versions = migrations().map(({ version }) => version);
  assert.deepEqual(
    versions,
    [...new Set(versions)].sort((one, other) => one - other),
  );
  assert.equal(versions.at(-1), knownVersion());
});

test('a dry run says what would be done and does nothing', async (t) => {
  const ground = await Ground.make(t);
  if (ground === undefined) return;
  const { from, to, steps } = await postgresDriver.migrate(ground.url, { dryRun: true });
  assert.deepEqual([from, to], [0, knownVersion()]);
  assert.ok(steps.length > 0 && steps.every(({ applied }) => !applied));
  assert.deepEqual(await ground.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [ground.schema]), []);
});

test('each migration is applied once and kept with its digest; a second time there is nothing to do', async (t) => {
  const ground = await Ground.make(t);
  if (ground === undefined) return;
  const { steps } = await ground.migrate();
  assert.ok(steps.every(({ applied }) => applied));
  const kept = await ground.query<{ version: number; digest: string }>(
    `SELECT version, digest FROM ${ground.name}.migration ORDER BY version`,
  );
  assert.deepEqual(
    kept,
    migrations().map(({ version, digest }) => ({ version, digest })),
  );
  assert.deepEqual(await ground.migrate(), { from: knownVersion(), to: knownVersion(), steps: [] });
});

test('of many who migrate at once, one does it and the others find it done', async (t) => {
  const ground = await Ground.make(t);
  if (ground === undefined) return;
  const reports = await Promise.all(Array.from({ length: 4 }, () => ground.migrate()));
  const busy = reports.filter(({ steps }) => steps.length > 0);
  assert.equal(busy.length, 1);
  assert.equal(busy[0]?.steps.length, migrations().length);
});

test('a migration that fails leaves nothing behind', async (t) => {
  const ground = await Ground.make(t);
  if (ground === undefined) return;
  await ground.query(`CREATE SCHEMA ${ground.name}`);
  await ground.query(`CREATE TABLE ${ground.name}.worker (name text)`);
  await assert.rejects(ground.migrate(), { code: 'STORE_URL_INVALID' });
  const tables = await ground.query('SELECT tablename FROM pg_tables WHERE schemaname = $1', [ground.schema]);
  assert.deepEqual(tables, [{ tablename: 'worker' }]);
});

test('a schema may have any name', async (t) => {
  const ground = await Ground.make(t);
  if (ground === undefined) return;
  for (const schema of [`${ground.schema} "of" Ada's\\`, `${ground.schema.toUpperCase()}.$1 {{channel}}`]) {
    const name = `"${schema.replaceAll('"', '""')}"`;
    const url = ground.urlWith({ schema });
    ground.finally(() => ground.query(`DROP SCHEMA IF EXISTS ${name} CASCADE`));
    await postgresDriver.migrate(url, { dryRun: false });
    const store = await postgresDriver.open(url, {});
    try {
      const one = spec();
      await store.enqueue([one]);
      const { leases } = await store.claim({ workerId: 'w', queues: ['q'], limit: 1, leaseMs: 1_000 });
      assert.deepEqual(
        leases.map(({ id }) => id),
        [one.id],
      );
      await store.prune();
    } finally {
      await store.close();
    }
  }
});

test('a lock that a dead client holds does not last: it ends with its transaction', async (t) => {
  const ground = await Ground.make(t);
  if (ground === undefined) return;
  const session = await openSession(ground.place);
  await session.query('BEGIN');
  await session.query(`SELECT pg_advisory_xact_lock(hashtextextended('longshore migrate ' || $1, 0))`, [
    ground.schema,
  ]);
  const migrating = ground.migrate();
  session.destroy();
  assert.equal((await migrating).from, 0);
});
