import assert from 'node:assert/strict';
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
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
  for (const { check, ok, remedy } of await sqliteDriver.doctor(place.url))
    assert.deepEqual([check, ok, remedy], [check, true, null]);
  assert.ok(readFileSync(place.file).equals(before));
});

test('the doctor says that there is no such file, and makes none', async (t) => {
  const place = await Place.make(t);
  assert.deepEqual((await findings(place)).file?.ok, false);
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
      ({ ok, detail }) => !ok && /damaged|malformed|corrupt|invalid/i.test(detail),
    ),
  );
});

test('the doctor sees expired leases and jobs that no worker takes', async (t) => {
  const place = await Place.make(t);
  const store = await place.store();
  await store.enqueue(specs(3));
  await store.claim(request({ limit: 1, now: 1_000, leaseMs: 10 }));
  const { leases, workers, integrity } = await findings(place);
  assert.match(leases?.detail ?? '', /1 jobs are running, 1 of them with an expired lease/);
  assert.deepEqual([leases?.ok, workers?.ok, integrity?.ok], [false, false, true]);
  assert.match(workers?.remedy ?? '', /Start a worker/);
});
