import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from '../../../src/store/store.ts';
import { claimRequest, completed, ids, spec, T0 } from '../../../src/testing/store-conformance/trial.ts';
import { Ground } from './ground.ts';

/** What another program may write into the tables: what would stop more than itself is refused by them. */

const LEASE_MS = 1_000;
const LATER = T0 + 2 * LEASE_MS;

const REFUSED: readonly string[] = [
  `UPDATE OWN.queue SET limits = '"x"'`,
  `UPDATE OWN.queue SET limits = '{"rate":5}'`,
  `UPDATE OWN.queue SET limits = jsonb_set(limits, '{concurrency}', '"many"')`,
  `UPDATE OWN.queue SET limits = jsonb_set(limits, '{perKey}', '[]')`,
  `UPDATE OWN.queue SET limits = jsonb_set(limits, '{perKey,ordered}', '3')`,
  `UPDATE OWN.queue SET retention = 'null'`,
  `UPDATE OWN.queue SET retention = retention - 'failed'`,
  `UPDATE OWN.queue SET retention = jsonb_set(retention, '{completed,ageMs}', '"a week"')`,
  `UPDATE OWN.queue SET ageing = '{"everyMs":1}'`,
  `UPDATE OWN.worker SET profiles = '{}'`,
  `UPDATE OWN.job_trail SET entry = '{"cut'`,
  `UPDATE OWN.lease SET lasts = '{}'`,
  `UPDATE OWN.job SET lease = NULL WHERE state = 'running'`,
];

/** What the tables take. It stops the job or the lease that it describes. */
const TAKEN: readonly string[] = [
  `UPDATE OWN.lease SET live = 9`,
  `UPDATE OWN.lease SET live = 1`,
  `UPDATE OWN.job SET turn = 9 WHERE state = 'ready' AND id IN (VICTIMS)`,
  `UPDATE OWN.job SET due_at = 9007199254740993, attempts_max = 2147483647 WHERE id IN (VICTIMS)`,
  `UPDATE OWN.job SET input = '{"cut' WHERE id IN (VICTIMS)`,
  `UPDATE OWN.job SET state = 'scheduled', turn = 2 WHERE state = 'ready' AND id IN (VICTIMS)`,
  `DELETE FROM OWN.job WHERE id IN (VICTIMS)`,
];

async function fill(store: Store) {
  await store.configureQueue('q', { limits: { concurrency: 50 }, ageing: { everyMs: 1_000, floor: -5 } });
  const [running, waiting] = [
    [spec(), spec(), spec()],
    [spec(), spec(), spec()],
  ];
  const others = [spec({ queue: 'other' }), spec({ queue: 'other' })];
  await store.enqueue(running, { now: T0 });
  const { leases } = await store.claim(claimRequest({ now: T0, leaseMs: LEASE_MS }));
  const [first] = leases;
  assert.ok(first);
  await store.annotate([
    { id: first.id, token: first.token, logs: [{ at: T0, attempt: 1, message: 'm', data: null }] },
  ]);
  await store.enqueue([...waiting, ...others], { now: T0 });
  await beat(store, T0);
  return { running, waiting, others };
}

async function beat(store: Store, now: number): Promise<void> {
  await store.beat({
    worker: { id: 'w9', host: 'h', pid: 1, version: '0', tasks: [], queues: ['q'], startedAt: 1 },
    load: { slots: 1, slotsUsed: 0, profiles: [] },
    leaseMs: LEASE_MS,
    now,
  });
}

async function runAll(store: Store, now: number): Promise<void> {
  await store.reap({ now });
  await beat(store, now);
  for (;;) {
    const { leases } = await store.claim(claimRequest({ queues: ['q', 'other'], now, leaseMs: LEASE_MS }));
    if (leases.length === 0) break;
    await store.settle(
      leases.map(({ id, token }) => ({ id, token, outcome: completed('1') })),
      { now },
    );
  }
  await store.prune({ now });
  await store.age({ now });
  await store.queues();
  await store.workers();
  await store.list({ limit: 100 });
}

test('the tables refuse what would stop more than what it describes', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  await fill(await ground.store());
  for (const sql of REFUSED)
    await assert.rejects(
      ground.query(sql.replaceAll('OWN', ground.name)),
      /violates check constraint|invalid input syntax/,
      sql,
    );
});

for (const sql of TAKEN)
  test(`${sql.replace('OWN.', '')} stops nothing else`, async (t) => {
    const ground = await Ground.migrated(t);
    if (ground === undefined) return;
    const store = await ground.store();
    const { running, waiting, others } = await fill(store);
    const victims = [running[1]?.id, waiting[1]?.id].map((id) => `'${id}'`).join();
    await ground.query(sql.replaceAll('OWN', ground.name).replace('VICTIMS', victims));
    await runAll(store, LATER);
    const unharmed = [running[0], running[2], waiting[0], waiting[2], ...others].filter(
      (one) => one !== undefined,
    );
    const states = (await store.get(ids(unharmed))).map((job) => job?.state);
    assert.deepEqual(states, Array(6).fill('completed'));
  });
