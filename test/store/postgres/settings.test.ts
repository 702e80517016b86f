import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { postgresDriver } from '../../../src/store/postgres/index.ts';
import type { JobSpec, Store } from '../../../src/store/store.ts';
import { completed, retried, spec } from '../../../src/testing/store-conformance/trial.ts';
import { Ground } from './ground.ts';

/** Each differs from the server's default and changes what a statement means or how a value is written. */
const SETTINGS: Readonly<Record<string, string>> = {
  standard_conforming_strings: 'off',
  array_nulls: 'off',
  DateStyle: 'German',
  IntervalStyle: 'iso_8601',
  TimeZone: 'Asia/Kathmandu',
  extra_float_digits: '-15',
  bytea_output: 'escape',
  transform_null_equals: 'on',
  search_path: 'pg_temp',
  row_security: 'off',
  client_encoding: 'LATIN1',
  quote_all_identifiers: 'on',
  statement_timeout: '60s',
  lock_timeout: '30s',
  default_transaction_deferrable: 'on',
};

test('no setting of the role or the database changes what the store does', async (t) => {
  const ground = await Ground.make(t);
  if (ground === undefined) return;
  const options = Object.entries(SETTINGS).map(([name, value]) => `-c ${name}=${value}`);
  await tour(ground, ground.urlWith({ options: options.join(' ') }));
});

/** Numbers of the types: https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat */
const TYPES = [16, 20, 21, 23, 25, 26, 114, 700, 701, 1184, 1700, 2950, 3802];

test('parsers that the program sets on the driver change nothing', async (t) => {
  const ground = await Ground.make(t);
  if (ground === undefined) return;
  for (const type of TYPES) {
    const before = pg.types.getTypeParser(type);
    pg.types.setTypeParser(type, () => ({ parsed: 'by the program' }));
    ground.finally(async () => pg.types.setTypeParser(type, before));
  }
  await tour(ground, ground.url);
});

/** Through all tables and functions; odd texts, nulls in lists and large numbers included. */
async function tour(ground: Ground, url: string): Promise<void> {
  await postgresDriver.migrate(url, { dryRun: false });
  const store = await ground.store({}, url);
  const input = '{"text":"\\\\ \' \u00e9 \u{1f600} \\\\x9f"}';
  const specs: JobSpec[] = [
    spec({ input }),
    spec({ input: null, priority: -3 }),
    spec({ key: 'a\\b' }),
    spec({ delayMs: 3_600_000.5 }),
    spec({ unique: { key: 'u\\1', mode: 'reject', periodMs: 60_000 } }),
  ];
  const receipts = await store.enqueue(specs);
  assert.deepEqual(
    receipts.map(({ status }) => status),
    specs.map(() => 'created'),
  );
  assert.deepEqual(
    (await store.enqueue(specs)).map(({ status }) => status),
    specs.map(() => 'existing'),
  );
  const { leases } = await store.claim({ workerId: 'w', queues: ['q'], limit: 10, leaseMs: 60_000 });
  assert.deepEqual(new Set(leases.map((lease) => lease.input)), new Set([input, null, specs[2]?.input]));
  const outcomes = leases.map(({ id, token }, place) => ({
    id,
    token,
    outcome: place === 0 ? retried(10_000, 'it \\ broke') : completed(place === 1 ? null : input),
  }));
  assert.ok((await store.settle(outcomes)).every(({ status }) => status === 'settled'));
  await retainAndPrune(store);
  const left = (await store.list({ limit: 10 })).jobs;
  assert.deepEqual(left.map(({ state }) => state).sort(), ['scheduled', 'scheduled']);
  const errors = (await store.trail(leases[0]?.id ?? ''))?.errors;
  assert.equal(errors?.[0]?.message, 'it \\ broke');
  await ground.query(`SELECT ${ground.name}.enqueue('t', '{}', queue => 'by \\ SQL')`);
  assert.equal(await store.clear('by \\ SQL', ['ready']), 1);
  const findings = await postgresDriver.doctor(url);
  assert.deepEqual(
    findings.filter(({ level }) => level === 'fault'),
    [],
  );
  const history = findings.find(({ check }) => check === 'history')?.detail ?? '';
  assert.match(history, /partitions of days, [1-9]/, 'the partitions are found by their names');
}

/** Partitions of days are made and found again by their names. */
async function retainAndPrune(store: Store): Promise<void> {
  await store.configureQueue('q', {
    retention: { completed: { ageMs: null, count: 0 } },
    limits: { concurrency: 3, rate: { count: 5, perMs: 1_000 } },
    ageing: { everyMs: 1_000, floor: 0 },
  });
  assert.equal((await store.prune()).jobs, 3);
  await store.age();
  await store.reap();
}
