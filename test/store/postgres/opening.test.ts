import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import pg from 'pg';
import { startPostgres } from '../../../setup/services/index.mjs';
import { LongshoreError } from '../../../src/core/errors.ts';
import { postgresDriver } from '../../../src/store/postgres/index.ts';
import { openHeart } from '../../../src/store/postgres/keep-alive.ts';
import { placeOf } from '../../../src/store/postgres/url.ts';
import { beatOf } from '../../../src/testing/store-conformance/trial.ts';
import { serverUrl } from '../../servers.ts';
import { eventually } from '../../stage.ts';
import { Ground } from './ground.ts';

test('a URL says where the server is, and what is ours is taken out of it', () => {
  const place = placeOf(
    'postgres://ada:secret@db:6000/jobs?schema=My%20%22jobs%22&max=9&pgbouncer=true&timeoutMs=500&sslmode=disable',
  );
  const { schema, max, pgbouncer, timeoutMs, migrates, host, port, database, user } = place;
  assert.deepEqual(
    { schema, max, pgbouncer, timeoutMs, migrates, host, port, database, user },
    {
      schema: 'My "jobs"',
      max: 9,
      pgbouncer: true,
      timeoutMs: 500,
      migrates: false,
      host: 'db',
      port: 6000,
      database: 'jobs',
      user: 'ada',
    },
  );
  assert.equal(place.connectionString, 'postgres://ada:secret@db:6000/jobs?sslmode=disable');
});

test('what a URL leaves out comes from the PG* variables, and then from the usual places', () => {
  const env = { PGHOST: '/run/postgresql', PGPORT: '5433', PGUSER: 'ada', PGDATABASE: 'jobs' };
  const { host, port, user, database, schema, max, pgbouncer } = placeOf('postgres:', env);
  assert.deepEqual([host, port, user, database], ['/run/postgresql', 5433, 'ada', 'jobs']);
  assert.deepEqual([schema, max, pgbouncer], ['longshore', 4, null]);
  const bare = placeOf('postgresql://ada@', {});
  assert.deepEqual([bare.host, bare.port, bare.database], ['localhost', 5432, 'ada']);
  assert.equal(placeOf('postgres://%2Frun%2Fpg/jobs', {}).host, '/run/pg');
});

test('a URL that makes no sense is refused, with what was expected and without its password', () => {
  for (const [url, expected] of [
    ['mysql://host/db', /expected postgres:/],
    ['postgres://a:secret@h/db?schema=', /1 to 63 bytes/],
    [`postgres://a:secret@h/db?schema=${'s'.repeat(64)}`, /1 to 63 bytes/],
    ['postgres://a:secret@h/db?schema=pg_catalog', /the server's own; expected another name/],
    ['postgres://a:secret@h/db?shcema=jobs', /no option "shcema"; it is written schema/],
    ['postgres://a:secret@h/db?schemas=jobs', /no option "schemas"; it is written schema/],
    ['postgres://a:secret@h/db?timeoutms=5', /no option "timeoutms"; it is written timeoutMs/],
    ['postgres://a:secret@h/db?pgbounser=true', /no option "pgbounser"; it is written pgbouncer/],
    ['postgres://a:secret@h/db?schema=a$$b', /without control characters and \$\$, and it has "\$\$"/],
    ['postgres://a:secret@h/db?schema=a%0Ab', /without control characters/],
    ['postgres://a:secret@h/db?max=0', /max is "0"; expected a whole number of at least 1/],
    ['postgres://a:secret@h/db?timeoutMs=soon', /timeoutMs is "soon"/],
    ['postgres://a:secret@h/db?pgbouncer=1', /pgbouncer is "1"; expected true or false/],
    ['postgres://a:secret@h/db?migrate=yes', /migrate is "yes"; expected auto/],
    ['postgres://a:secret@h1,h2/db', /several hosts/],
    ['postgres://a:secret@h:port/db', /cannot be read as a URL/],
  ] as const) {
    assert.throws(
      () => placeOf(url),
      (error: LongshoreError) => {
        assert.equal(error.code, 'STORE_URL_INVALID');
        assert.match(error.message, expected);
        assert.doesNotMatch(JSON.stringify(error), /secret/);
        return true;
      },
    );
  }
});

test('a server that is not there is named, with what to check', async () => {
  const free = await freePort();
  for (const [url, expected] of [
    [`postgres://ada:secret@127.0.0.1:${free}/jobs`, new RegExp(`127\\.0\\.0\\.1:${free}.* was refused`)],
    ['postgres://ada:secret@nowhere.invalid/jobs', /nowhere\.invalid:5432.*no host of that name|looked up/],
    ['postgres://ada:secret@%2Fnowhere/jobs', /\/nowhere\/\.s\.PGSQL\.5432.*no such socket/],
  ] as const)
    await refused(postgresDriver.open(url, {}), 'STORE_UNAVAILABLE', expected);
});

test('an unknown database, role or password is said, with the remedy', async (t) => {
  if ((await serverUrl(t, 'postgres')) === undefined) return;
  const folder = await mkdtemp(join(tmpdir(), 'longshore-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const rules = join(folder, 'pg_hba.conf');
  await writeFile(rules, 'host all ada all scram-sha-256\nlocal all all trust\nhost all all all trust\n', {
    mode: 0o644,
  });
  const { chmod } = await import('node:fs/promises');
  await chmod(folder, 0o755);
  const server = await startPostgres({ settings: { hba_file: rules } });
  t.after(() => server.stop());
  const admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  await admin.query("CREATE ROLE ada LOGIN PASSWORD 'right'");
  await admin.end();
  const url = (change: (url: URL) => void): string => {
    const changed = new URL(server.url);
    change(changed);
    return changed.href;
  };
  const as = (user: string, password: string) =>
    url((changed) => Object.assign(changed, { username: user, password }));
  await refused(
    postgresDriver.open(as('ada', 'secret'), {}),
    'STORE_UNAVAILABLE',
    /refused user ada .*PGPASSWORD/,
  );
  await refused(
    postgresDriver.open(as('ada', ''), {}),
    'STORE_UNAVAILABLE',
    /password of user ada, and none was given|refused user ada/,
  );
  await refused(postgresDriver.open(as('bob', 'secret'), {}), 'STORE_UNAVAILABLE', /refused user bob/);
  await refused(
    postgresDriver.open(
      url((changed) => Object.assign(changed, { pathname: '/none' })),
      {},
    ),
    'STORE_UNAVAILABLE',
    /no such database.*CREATE DATABASE "none"/,
  );
});

test('a schema that was not made yet is STORE_OUTDATED, and ?migrate=auto makes it', async (t) => {
  const ground = await Ground.make(t);
  if (ground === undefined) return;
  await refused(ground.store(), 'STORE_OUTDATED', /no tables of Longshore yet.*longshore migrate/);
  const store = await ground.store({}, ground.urlWith({ migrate: 'auto' }));
  assert.deepEqual(await store.queues(), []);
});

test('an older layout is STORE_OUTDATED, a newer one STORE_NEWER, and neither is touched', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  await ground.query(`DELETE FROM ${ground.name}.migration WHERE version > 1`);
  await refused(ground.store(), 'STORE_OUTDATED', /has layout 1 of \d+/);
  await ground.query(
    `INSERT INTO ${ground.name}.migration (version, name, digest) VALUES (9999, 'later', '')`,
  );
  await refused(ground.store(), 'STORE_NEWER', /layout 9999.*Install the newer Longshore/);
  await refused(ground.store({}, ground.urlWith({ migrate: 'auto' })), 'STORE_NEWER', /9999/);
  await refused(ground.migrate(), 'STORE_NEWER', /9999/);
});

test('a user whose transactions see the past is refused, and the remedy works', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const role = await ground.role();
  await ground.query(`GRANT ALL ON SCHEMA ${ground.name} TO ${role}`);
  await ground.query(`GRANT ALL ON ALL TABLES IN SCHEMA ${ground.name} TO ${role}`);
  await ground.query(`ALTER ROLE ${role} SET default_transaction_isolation = 'repeatable read'`);
  const url = ground.urlWith({ user: role });
  const opening = ground.store({}, url);
  await refused(opening, 'STORE_UNAVAILABLE', /as repeatable read.*ALTER ROLE/);
  const message = await opening.then(
    () => '',
    (error: Error) => error.message,
  );
  await ground.query(/ALTER ROLE .* 'read committed'/.exec(message)?.[0] ?? '');
  assert.deepEqual(await (await ground.store({}, url)).queues(), []);
});

test('a connection to a server that takes no writes any more is given up', async (t) => {
  if ((await serverUrl(t, 'postgres')) === undefined) return;
  const server = await startPostgres();
  t.after(() => server.stop());
  const url = `${server.url}?migrate=auto&application_name=jobs`;
  const store = await postgresDriver.open(url, {});
  const heart = await openHeart(url);
  const admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  const connected = async () =>
    (await admin.query("SELECT FROM pg_stat_activity WHERE application_name = 'jobs'")).rowCount;
  const beat = beatOf('w', Date.now());
  await heart.beat(beat);
  assert.equal(await connected(), 2);
  await admin.query('SET default_transaction_read_only = off');
  await admin.query('ALTER SYSTEM SET default_transaction_read_only = on');
  await admin.query('SELECT pg_reload_conf()');
  // The server's processes hear of it when they are idle.
  await eventually(() =>
    store.beat(beat).then(
      () => false,
      ({ code }) => code === 'STORE_UNAVAILABLE',
    ),
  );
  await refused(heart.beat(beat), 'STORE_UNAVAILABLE', /takes no writes now .*connect to the primary/);
  await eventually(async () => (await connected()) === 0);
  await admin.query('ALTER SYSTEM RESET default_transaction_read_only');
  await admin.query('SELECT pg_reload_conf()');
  await eventually(() =>
    heart.beat(beat).then(
      () => true,
      () => false,
    ),
  );
  await Promise.all([store.close(), heart.close(), admin.end()]);
});

test('missing rights are told with the role and the GRANT that gives them', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const role = await ground.role();
  const url = ground.urlWith({ user: role });
  const grant = new RegExp(
    `User ${role} lacks rights .*GRANT USAGE, CREATE ON SCHEMA "${ground.schema}" TO "${role}"`,
  );
  await refused(ground.store({}, url), 'STORE_UNAVAILABLE', grant);
  await refused(
    postgresDriver.migrate(ground.urlWith({ user: role, schema: `${ground.schema}_b` }), { dryRun: false }),
    'STORE_UNAVAILABLE',
    /GRANT CREATE ON DATABASE/,
  );
  await ground.query(`GRANT USAGE, CREATE ON SCHEMA ${ground.name} TO ${role}`);
  await ground.query(`GRANT ALL ON ALL TABLES IN SCHEMA ${ground.name} TO ${role}`);
  await ground.query(`GRANT ALL ON ALL SEQUENCES IN SCHEMA ${ground.name} TO ${role}`);
  const store = await ground.store({}, url);
  assert.deepEqual(await store.prune(), { jobs: 0, workers: 0, more: false });
});

test('a server that takes no writes is STORE_READ_ONLY', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const role = await ground.role();
  await ground.query(`ALTER ROLE ${role} SET default_transaction_read_only = on`);
  await ground.query(`GRANT ALL ON SCHEMA ${ground.name} TO ${role}`);
  await ground.query(`GRANT ALL ON ALL TABLES IN SCHEMA ${ground.name} TO ${role}`);
  await refused(
    ground.store({}, ground.urlWith({ user: role })),
    'STORE_READ_ONLY',
    /Connect to the primary/,
  );
});

test('a database that keeps text in another encoding than UTF8 is refused', async (t) => {
  const ground = await Ground.make(t);
  if (ground === undefined) return;
  const database = `${ground.schema}_latin`;
  await ground.query(
    `CREATE DATABASE ${database} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
  );
  ground.finally(() => ground.query(`DROP DATABASE ${database}`));
  const opening = postgresDriver.migrate(ground.urlWith({ database }), { dryRun: false });
  await refused(opening, 'STORE_UNAVAILABLE', /keeps text as LATIN1; Longshore needs UTF8/);
});

test('a schema of something else is refused and left as it was', async (t) => {
  const ground = await Ground.make(t);
  if (ground === undefined) return;
  await ground.query(`CREATE SCHEMA ${ground.name}`);
  await ground.query(`CREATE TABLE ${ground.name}.job (title text)`);
  await refused(ground.migrate(), 'STORE_URL_INVALID', /belongs to something else.*schema of its own/);
  const [row] = await ground.query<{ relations: number }>(
    'SELECT count(*)::int AS relations FROM pg_class WHERE relnamespace = $1::regnamespace',
    [ground.name],
  );
  assert.equal(row?.relations, 1);
});

async function refused(opening: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  await assert.rejects(opening, (error: LongshoreError) => {
    assert.ok(error instanceof LongshoreError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.doesNotMatch(JSON.stringify(error), /secret/);
    return true;
  });
}

/** Where nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
