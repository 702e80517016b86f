import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sqliteDriver } from '../../../src/store/sqlite/index.ts';
import { migrations } from '../../../src/store/sqlite/migrate.ts';
import { fileOf } from '../../../src/store/sqlite/url.ts';
import type { Store } from '../../../src/store/store.ts';
import { Place } from './place.ts';
import { spec, specs } from './specs.ts';

const LATEST = migrations().at(-1)?.version as number;

test('a URL names a file, relative to the working folder or absolute', () => {
  for (const [url, file] of [
    ['sqlite:jobs.db', join(process.cwd(), 'jobs.db')],
    ['sqlite:./some/jobs.db', join(process.cwd(), 'some', 'jobs.db')],
    ['sqlite:/some/jobs.db', '/some/jobs.db'],
    ['sqlite:///some/jobs.db', '/some/jobs.db'],
    ['sqlite:/some/a b%20c.db', '/some/a b%20c.db'],
  ] as const)
    assert.equal(fileOf(url), file);
});

test('a URL that names no file is refused, with what was expected', () => {
  for (const [url, expected] of [
    ['sqlite:', /names no file/],
    ['sqlite::memory:', /use memory:/],
    ['sqlite:jobs.db?mode=ro', /\? and # are not allowed/],
    ['sqlite://host/jobs.db', /host is not allowed/],
    ['sqlite:folder/', /names a folder/],
    ['file:jobs.db', /expected sqlite:jobs.db/],
  ] as const)
    assert.throws(() => fileOf(url), { code: 'STORE_URL_INVALID', message: expected });
});

test('a missing folder is named, with the command that makes it', async (t) => {
  const { folder } = await Place.make(t);
  const missing = join(folder, 'not', 'there');
  await assert.rejects(sqliteDriver.open(`sqlite:${missing}/jobs.db`, {}), {
    code: 'STORE_UNAVAILABLE',
    message: new RegExp(`mkdir -p ${missing}`),
  });
});

test('a new file and those beside it are for their owner alone; files that exist keep their modes', async (t) => {
  const before = process.umask(0o022);
  t.after(() => process.umask(before));
  const { file, store } = await opened(t);
  await store.enqueue([spec()]);
  const modes = (path: string): string[] =>
    ['', '-wal', '-shm', '-wake'].map((suffix) => (statSync(`${path}${suffix}`).mode & 0o777).toString(8));
  assert.deepEqual(modes(file), ['600', '600', '600', '700']);

  const shared = await opened(t, 0o660);
  assert.deepEqual(modes(shared.file), ['660', '660', '660', '770']);
});

/** A store on a new file, or on an empty one of this mode. */
async function opened(t: TestContext, mode?: number): Promise<{ file: string; store: Store }> {
  const place = await Place.make(t);
  if (mode !== undefined) {
    writeFileSync(place.file, '');
    chmodSync(place.file, mode);
  }
  return { file: place.file, store: await place.store() };
}

test('a folder in place of the file is refused', async (t) => {
  const place = await Place.make(t);
  mkdirSync(place.file);
  await assert.rejects(place.store(), { code: 'STORE_URL_INVALID', message: /is a folder/ });
});

test('a file that is no database is STORE_CORRUPT and is left as it was', async (t) => {
  const place = await Place.make(t);
  const text = 'this is a shopping list, and no database\n'.repeat(100);
  writeFileSync(place.file, text);
  await assert.rejects(place.store(), { code: 'STORE_CORRUPT', message: /not an SQLite database/ });
  assert.equal(readFileSync(place.file, 'utf8'), text);
});

test('a database of another program is refused and left as it was', async (t) => {
  const place = await Place.make(t);
  const stranger = place.stranger();
  stranger.exec('CREATE TABLE contacts (name TEXT)');
  stranger.close();
  const before = readFileSync(place.file);
  await assert.rejects(place.store(), { code: 'STORE_URL_INVALID', message: /database of another program/ });
  assert.ok(readFileSync(place.file).equals(before));
});

test('a damaged database is STORE_CORRUPT', async (t) => {
  const place = await Place.make(t);
  const store = await place.store();
  await store.enqueue(specs(2_000));
  await store.close();
  truncateSync(place.file, 8 * 4_096);
  const work = async () => {
    const damaged = await place.store();
    await damaged.list({ limit: 5_000 });
  };
  await assert.rejects(work, { code: 'STORE_CORRUPT', message: /is damaged/ });
});

test('a database of a newer version is STORE_NEWER and is left as it was', async (t) => {
  const place = await Place.make(t);
  await (await place.store()).close();
  const stranger = place.stranger();
  stranger.exec(`PRAGMA user_version = ${LATEST + 1}`);
  await assert.rejects(place.store(), { code: 'STORE_NEWER', message: new RegExp(`layout ${LATEST + 1}`) });
  assert.equal(stranger.prepare('PRAGMA user_version').get()?.user_version, LATEST + 1);
});

test('what this user may not write is STORE_READ_ONLY', async (t) => {
  const place = await Place.make(t);
  await (await place.store()).close();
  chmodSync(place.file, 0o444);
  const other = { ...asAnotherUser(), folder: place.folder };
  chmodSync(place.folder, 0o777);
  assert.match(openAs(other, place.url), /STORE_READ_ONLY .*make the file writable/i);
  chmodSync(place.file, 0o666);
  chmodSync(place.folder, 0o555);
  assert.match(openAs(other, place.url), /STORE_READ_ONLY .*make the folder writable/i);
  chmodSync(place.folder, 0o755);
});

/** Root may write everything, so root becomes somebody else in the child. */
function asAnotherUser(): { uid?: number; gid?: number } {
  return process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
}

function openAs(user: { uid?: number; gid?: number }, url: string): string {
  const program = new URL('./programs/open.ts', import.meta.url).pathname;
  const { stdout, stderr, error } = spawnSync(process.execPath, [program, url], {
    ...user,
    encoding: 'utf8',
  });
  assert.equal(error, undefined);
  return stdout + stderr;
}

test('migrate says what it would do and does nothing in a dry run', async (t) => {
  const place = await Place.make(t);
  const due = migrations().map(({ version, name }) => ({ version, name, applied: false }));
  assert.deepEqual(await sqliteDriver.migrate(place.url, { dryRun: true }), {
    from: 0,
    to: LATEST,
    steps: due,
  });
  assert.equal(existsSync(place.file), false);
  const done = due.map((step) => ({ ...step, applied: true }));
  assert.deepEqual(await sqliteDriver.migrate(place.url, { dryRun: false }), {
    from: 0,
    to: LATEST,
    steps: done,
  });
  for (const dryRun of [true, false])
    assert.deepEqual(await sqliteDriver.migrate(place.url, { dryRun }), {
      from: LATEST,
      to: LATEST,
      steps: [],
    });
});

test('a closed store leaves one file and an empty folder for wake-ups', async (t) => {
  const place = await Place.make(t);
  const store = await place.store();
  await store.enqueue([spec()]);
  await store.close();
  const name = basename(place.file);
  assert.deepEqual(readdirSync(place.folder, { recursive: true }).sort(), [name, `${name}-wake`]);
});
