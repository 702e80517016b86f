import assert from 'node:assert/strict';
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { toAttemptError } from '../../../src/core/errors.ts';
import { sqliteDriver } from '../../../src/store/sqlite/index.ts';
import type { Finding } from '../../../src/store/store.ts';
import { Place } from './place.ts';
import { request, specs } from './specs.ts';

async function findings(place: Place): Promise<Record<string, Finding>> {
  return Object.fromEntries(
    (await sqliteDriver.doctor(place.url)).map((finding) => [finding.check, finding]),
  );
}

test('the doctor finds a sound store sound, and changes nothing', async (t) => {
  const place = await Place.make(t);
  const store = await place.store();
  await store.close();
  const before = readFileSync(place.file);
  for (const { check, level, remedy } of await sqliteDriver.doctor(place.url))
    assert.deepEqual([check, level, remedy], [check, 'ok', null]);
  assert.ok(readFileSync(place.file).equals(before));
});

test('the doctor says that there is no such file, and makes none', async (t) => {
  const place = await Place.make(t);
  assert.deepEqual((await findings(place)).file?.level, 'fault');
  assert.equal(existsSync(place.file), false);
});

test('the doctor says what is no database, and what is damaged', async (t) => {
  const place = await Place.make(t);
  writeFileSync(place.file, 'nothing like a database'.repeat(300));
  assert.match((await findings(place)).layout?.detail ?? '', /not an SQLite database/);

  const other = await Place.make(t);
  const store = await other.store();
  await store.enqueue(specs(2_000));
  await store.close();
  truncateSync(other.file, 20 * 4_096);
  assert.ok(
    Object.values(await findings(other)).some(
      ({ level, detail }) => level === 'fault' && /damaged|malformed|corrupt|invalid/i.test(detail),
    ),
  );
});

test('the doctor sees expired leases and jobs that no worker takes', async (t) => {
  const place = await Place.make(t);
  const store = await place.store();
  await store.enqueue(specs(3));
  await store.claim(request({ limit: 1, now: 1_000, leaseMs: 10 }));
  const { leases, workers, integrity } = await findings(place);
  assert.match(leases?.detail ?? '', /1 job is running, 1 with an expired lease/);
  assert.deepEqual([leases?.level, workers?.level, integrity?.level], ['note', 'note', 'ok']);
  assert.match(workers?.remedy ?? '', /Start a worker/);
});

test('dead letters are noted; they are no fault of the store', async (t) => {
  const place = await Place.make(t);
  const store = await place.store();
  await store.enqueue(specs(1));
  const [lease] = (await store.claim(request({ limit: 1 }))).leases;
  const { id, token } = lease ?? assert.fail('nothing was claimed');
  await store.settle([
    { id, token, outcome: { type: 'failed', error: toAttemptError(new Error('no'), 1, 0) } },
  ]);
  await store.close();
  const found = await findings(place);
  const { level, detail, remedy } = found['dead letters'] ?? assert.fail('not looked at');
  assert.deepEqual([level, detail], ['note', '1 job is a dead letter.']);
  assert.match(remedy ?? '', /redrive/);
  assert.ok(Object.values(found).every((finding) => finding.level !== 'fault'));
});

test('a missing index, a changed one and another journal mode are faults', async (t) => {
  const place = await Place.make(t);
  await (await place.store()).close();
  const db = new DatabaseSync(place.file);
  db.exec(`
    CREATE INDEX of_the_user ON job (task);
    DROP INDEX job_key;
    DROP INDEX job_scheduled;
    CREATE INDEX job_scheduled ON job (queue, due_at);
    PRAGMA journal_mode = DELETE`);
  db.close();
  const { tables, log } = await findings(place);
  assert.deepEqual(
    [tables?.level, tables?.detail],
    ['fault', 'index job_scheduled was changed, index job_key is missing.'],
  );
  assert.deepEqual([log?.level, log?.detail], ['fault', 'The journal mode is delete, not wal.']);
});
