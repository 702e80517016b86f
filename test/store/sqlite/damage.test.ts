import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from '../../../src/store/store.ts';
import { claimRequest, completed, ids, T0 } from '../../../src/testing/store-conformance/trial.ts';
import { Place } from './place.ts';
import { spec } from './specs.ts';

/** Rows that another program damaged, as far as the tables allow: each stops what it describes and nothing else. */

const LEASE_MS = 1_000;
const LATER = T0 + 2 * LEASE_MS;
const HUGE = '9007199254740993';

interface Damage {
  readonly sql: string;
  /** Whether the jobs of queue `q` still run to their end; those of `other` always do. */
  readonly stopsQueue?: true;
}

/** The middle one of three running jobs is numbered 2, the middle one of three that wait 5. */
const DAMAGES: Readonly<Record<string, Damage>> = {
  'a lease whose list is no JSON': { sql: `UPDATE lease SET seqs = '[1,2' WHERE queue = 'q'` },
  'a lease whose list is empty text': { sql: `UPDATE lease SET seqs = '' WHERE queue = 'q'` },
  'a lease whose list is no list': { sql: `UPDATE lease SET seqs = '{"a":1}' WHERE queue = 'q'` },
  'a lease that lists others': { sql: `UPDATE lease SET seqs = '[77,78]' WHERE queue = 'q'` },
  'a lease that counts more than it has': { sql: `UPDATE lease SET live = 9 WHERE queue = 'q'` },
  'a lease that counts fewer than it has': { sql: `UPDATE lease SET live = 1 WHERE queue = 'q'` },
  'limits that are no JSON': { sql: `UPDATE queue SET limits = '{"rate' WHERE name = 'q'`, stopsQueue: true },
  'limits of another shape': {
    sql: `UPDATE queue SET limits = '{"rate":5}' WHERE name = 'q'`,
    stopsQueue: true,
  },
  'a retention that is no JSON': { sql: `UPDATE queue SET retention = 'null', drops = 1 WHERE name = 'q'` },
  'a retention that is cut': { sql: `UPDATE queue SET retention = '{"comp', drops = 1 WHERE name = 'q'` },
  'ageing that is no JSON': { sql: `UPDATE queue SET ageing = 'x' WHERE name = 'q'` },
  'ageing of another shape': { sql: `UPDATE queue SET ageing = '{"everyMs":1,"floor":2}' WHERE name = 'q'` },
  'a worker whose lists are no JSON': { sql: `UPDATE worker SET tasks = '', queues = '[', profiles = '{}'` },
  'numbers too large of a job that runs': {
    sql: `UPDATE job SET started_at = ${HUGE}, crashes = ${HUGE}, created_at = ${HUGE} WHERE seq = 2`,
  },
  'numbers too large of a job that waits': {
    sql: `UPDATE job SET due_at = ${HUGE}, attempts_max = ${HUGE} WHERE seq = 5`,
  },
  'a state that there is not': { sql: `UPDATE job SET state = 'asleep' WHERE seq = 5` },
  'a turn that there is not': { sql: `UPDATE job SET turn = 9 WHERE seq = 5` },
  'an input that is no JSON': { sql: `UPDATE job SET input = '{"a' WHERE seq IN (2, 5)` },
  'an input that is no text': { sql: `UPDATE job SET input = CAST(x'ff00fe' AS TEXT) WHERE seq IN (2, 5)` },
  'names that are no text': { sql: `UPDATE job SET task = CAST(x'ff00fe' AS TEXT) WHERE seq IN (2, 5)` },
};

async function runAll(store: Store, now: number): Promise<void> {
  await store.reap({ now });
  await store.beat({
    worker: { id: 'w1', host: 'h', pid: 1, version: '0', tasks: [], queues: ['q'], startedAt: 1 },
    load: { slots: 1, slotsUsed: 0, profiles: [] },
    leaseMs: LEASE_MS,
    now,
  });
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

for (const [what, { sql, stopsQueue }] of Object.entries(DAMAGES))
  test(`${what} stops nothing else`, async (t) => {
    const place = await Place.make(t);
    const store = await place.store();
    await store.configureQueue('q', {
      limits: { concurrency: 50 },
      ageing: { everyMs: 1_000, floor: -5 },
    });
    const [running, waiting] = [
      [spec(), spec(), spec()],
      [spec(), spec(), spec()],
    ];
    const others = [spec({ queue: 'other' }), spec({ queue: 'other' })];
    await store.enqueue(running, { now: T0 });
    await store.claim(claimRequest({ now: T0, leaseMs: LEASE_MS }));
    await store.enqueue([...waiting, ...others], { now: T0 });
    await store.beat({
      worker: { id: 'w9', host: 'h', pid: 1, version: '0', tasks: [], queues: ['q'], startedAt: 1 },
      load: { slots: 1, slotsUsed: 0, profiles: [] },
      leaseMs: LEASE_MS,
      now: T0,
    });
    const changed = place.stranger().prepare(sql).run().changes;
    assert.ok(Number(changed) > 0, 'something was damaged');
    await store.list({ limit: 100 });
    // What a lease lost is found by a first reap and taken back by the next one.
    await store.reap({ now: LATER });
    await runAll(store, LATER);
    const stateOf = async (specs: readonly { id: string }[]) =>
      (await store.get(ids(specs))).map((job) => job?.state);
    assert.deepEqual(await stateOf(others), ['completed', 'completed']);
    const neighbours = [running[0], running[2], waiting[0], waiting[2]].filter((one) => one !== undefined);
    if (stopsQueue) {
      const queue = (await store.queues()).find(({ name }) => name === 'q');
      assert.notEqual(queue?.pausedAt, null);
      await store.configureQueue('q', { paused: false, limits: { concurrency: 50 } });
      await runAll(store, LATER);
    }
    assert.deepEqual(await stateOf(neighbours), Array(4).fill('completed'));
  });
