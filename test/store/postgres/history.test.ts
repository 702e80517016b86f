import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSession } from '../../../src/store/postgres/session.ts';
import type { Store } from '../../../src/store/store.ts';
import { completed, failed, spec } from '../../../src/testing/store-conformance/trial.ts';
import { eventually } from '../../stage.ts';
import { Ground } from './ground.ts';

const DAY_MS = 86_400_000;
const NOON = Date.UTC(2026, 0, 10, 12);

/** Jobs that ended at these times. */
async function ended(store: Store, times: readonly number[], queue = 'q'): Promise<void> {
  for (const now of times) {
    const one = spec({ queue });
    await store.enqueue([one], { now });
    const { leases } = await store.claim({ workerId: 'w', queues: [queue], limit: 1, leaseMs: 1_000, now });
    await store.settle(
      leases.map(({ id, token }) => ({ id, token, outcome: completed() })),
      { now },
    );
  }
}

/** How many jobs lie in each partition that has any, without the start of its name. */
async function jobsIn(ground: Ground): Promise<Record<string, number>> {
  const rows = await ground.query<{ part: string; jobs: number }>(
    `SELECT relname AS part, count(*)::int AS jobs FROM ${ground.name}.history
       JOIN pg_class ON pg_class.oid = history.tableoid GROUP BY relname ORDER BY relname`,
  );
  return Object.fromEntries(rows.map(({ part, jobs }) => [part.replace('history_', ''), jobs]));
}

async function days(ground: Ground, state: string): Promise<string[]> {
  const rows = await ground.query<{ name: string }>(
    `SELECT name FROM ${ground.name}.history_days($1) ORDER BY name`,
    [state],
  );
  return rows.map(({ name }) => name.slice(-8));
}

test('prune makes the partitions of today and the next two days, and moves there what waits in the default one', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  await ended(store, [NOON - DAY_MS, NOON, NOON + 1, NOON + DAY_MS]);
  assert.deepEqual(await jobsIn(ground), { completed_default: 4 });
  assert.deepEqual(await store.prune({ now: NOON }), { jobs: 0, workers: 0, more: false });
  assert.deepEqual(await jobsIn(ground), {
    completed_20260110: 2,
    completed_20260111: 1,
    completed_default: 1,
  });
  for (const state of ['completed', 'failed', 'cancelled'])
    assert.deepEqual(await days(ground, state), ['20260110', '20260111', '20260112']);
  await ended(store, [NOON + 2 * DAY_MS]);
  assert.equal((await jobsIn(ground)).completed_20260112, 1);
});

test('who looks while jobs move to the partition of their day misses none of them', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  await ended(store, [NOON]);
  await ground.query('BEGIN');
  const midnight = NOON - (NOON % DAY_MS);
  await ground.query(`SELECT ${ground.name}.make_history_day('completed', $1)`, [midnight]);
  const looking = store.queues();
  const beside = await openSession(ground.place);
  ground.finally(() => beside.close());
  await eventually(async () => {
    const waiting = await beside.query(
      "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND position($1 IN query) > 0",
      [ground.schema],
    );
    return waiting.length > 0;
  });
  await ground.query('COMMIT');
  assert.equal((await looking)[0]?.counts.completed, 1);
});

test('a day that no queue keeps goes with its partition, whatever the limit, and counts', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  await store.prune({ now: NOON });
  await ended(store, [NOON, NOON + 1, NOON + 2, NOON + DAY_MS]);
  const first = Date.UTC(2026, 0, 11) + 7 * DAY_MS;
  assert.deepEqual(await store.prune({ now: first - 2, limit: 10 }), { jobs: 3, workers: 0, more: false });
  assert.ok(
    (await days(ground, 'completed')).includes('20260110'),
    'a job that ended at its last moment would stay',
  );
  await ended(store, [NOON, NOON + 1, NOON + 2]);
  assert.equal((await store.prune({ now: first, limit: 1 })).jobs, 3);
  assert.ok(!(await days(ground, 'completed')).includes('20260110'));
  assert.ok((await days(ground, 'failed')).includes('20260110'), 'dead letters are kept for longer');
  assert.deepEqual(await jobsIn(ground), { completed_20260111: 1 });
});

test('a queue that keeps its jobs for longer, or for ever, keeps their partitions', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  await store.prune({ now: NOON });
  await ended(store, [NOON], 'q');
  await ended(store, [NOON], 'kept');
  await store.configureQueue('kept', { retention: { completed: { ageMs: null, count: null } } });
  const later = NOON + 30 * DAY_MS;
  assert.equal((await store.prune({ now: later })).jobs, 1);
  assert.deepEqual(await jobsIn(ground), { completed_20260110: 1 });
  await store.configureQueue('kept', { retention: { completed: { ageMs: 60 * DAY_MS, count: null } } });
  assert.equal((await store.prune({ now: later })).jobs, 0);
  assert.equal((await store.prune({ now: NOON + 62 * DAY_MS })).jobs, 1);
  assert.deepEqual(await jobsIn(ground), {});
});

test('partitions that somebody reads are dropped at the next prune, and nobody waits for them', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  await store.prune({ now: NOON });
  await ended(store, [NOON]);
  const reader = await openSession(ground.place);
  ground.finally(() => reader.close());
  await reader.query(`BEGIN; SELECT FROM ${ground.name}.history`);
  const later = NOON + 30 * DAY_MS;
  assert.equal((await store.prune({ now: later })).jobs, 0);
  assert.deepEqual(await jobsIn(ground), { completed_20260110: 1 });
  await reader.query('COMMIT');
  assert.equal((await store.prune({ now: later })).jobs, 1);
});

test('who does not own the tables prunes job by job', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const owner = await ground.store();
  await owner.prune({ now: NOON });
  await ended(owner, [NOON, NOON + 1]);
  const role = await ground.role();
  await ground.query(`GRANT USAGE ON SCHEMA ${ground.name} TO ${role}`);
  await ground.query(`GRANT ALL ON ALL TABLES IN SCHEMA ${ground.name} TO ${role}`);
  await ground.query(`GRANT ALL ON ALL SEQUENCES IN SCHEMA ${ground.name} TO ${role}`);
  const store = await ground.store({}, ground.urlWith({ user: role }));
  const later = NOON + 30 * DAY_MS;
  assert.deepEqual(await store.prune({ now: later, limit: 1 }), { jobs: 1, workers: 0, more: true });
  assert.deepEqual(await store.prune({ now: later, limit: 1 }), { jobs: 1, workers: 0, more: false });
  assert.ok((await days(ground, 'completed')).includes('20260110'));
});

test('a page of jobs is found without reading the past', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  await store.prune({ now: NOON });
  await ground.query(
    `INSERT INTO ${ground.name}.history (seq, id, queue, task, state, priority, attempt, attempts_max, crashes,
       cancel_requested, created_at, due_at, finished_at)
     SELECT number, md5(random()::text)::uuid, CASE WHEN number % 2000 = 0 THEN 'rare' ELSE 'q' END, 't',
       'completed', 0, 1, 3, 0, false, $1::bigint, $1::bigint, $1::bigint + number FROM generate_series(1, 20000) AS number`,
    [NOON],
  );
  const session = await openSession(ground.place);
  ground.finally(() => session.close());
  const blocksFor = async (queue: string | null): Promise<number> => {
    // The function's statements do not show in the plan, but the blocks they touch do.
    const [row] = await session.query<{ 'QUERY PLAN': readonly [{ Plan: { 'Shared Hit Blocks': number } }] }>(
      `EXPLAIN (ANALYZE, BUFFERS, FORMAT json)
       SELECT * FROM ${ground.name}.list_ended('{completed,failed,cancelled}', $1, NULL, 1000000, 51)`,
      [queue],
    );
    return row?.['QUERY PLAN'][0].Plan['Shared Hit Blocks'] ?? Number.POSITIVE_INFINITY;
  };
  // The first time a connection also reads what tables there are.
  await blocksFor('q');
  for (const queue of [null, 'q', 'rare', 'none']) {
    const blocks = await blocksFor(queue);
    assert.ok(blocks < 300, `${blocks} blocks for queue ${queue}, and 20,000 jobs lie in more than 300`);
  }
});

test('a dead letter that is redriven comes back with its trail, its id and its place', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  const one = spec({ input: '"x"' });
  await store.enqueue([one]);
  const before = (await store.get([one.id]))[0];
  const { leases } = await store.claim({ workerId: 'w', queues: ['q'], limit: 1, leaseMs: 1_000 });
  const [{ token } = assert.fail('nothing was claimed')] = leases;
  await store.settle([{ id: one.id, token, outcome: failed() }]);
  assert.deepEqual(await jobsIn(ground), { failed_default: 1 });
  await store.control([{ type: 'redrive', id: one.id, by: 'ada', why: 'mended' }]);
  assert.deepEqual(await jobsIn(ground), {});
  const after = (await store.get([one.id]))[0];
  assert.deepEqual([after?.seq, after?.state, after?.input], [before?.seq, 'ready', '"x"']);
  const trail = await store.trail(one.id);
  assert.deepEqual([trail?.errors.length, trail?.audit[0]?.why], [1, 'mended']);
});

test('jobs run, end and are removed where a publication has all tables', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  await ended(store, [NOON - DAY_MS]);
  await store.prune({ now: NOON });
  // Each by its name: FOR ALL TABLES would take in those of other tests.
  const tables = await ground.query<{ name: string }>(
    `SELECT format('%I.%I', $1::text, relname) AS name FROM pg_class
     WHERE relnamespace = to_regnamespace($2) AND relkind = 'r' ORDER BY relname`,
    [ground.schema, ground.name],
  );
  assert.ok(tables.some(({ name }) => name.endsWith('history_completed_20260110')));
  await ground.query(`CREATE PUBLICATION ${ground.name} FOR TABLE ${tables.map(({ name }) => name).join()}`);
  ground.finally(() => ground.query(`DROP PUBLICATION ${ground.name}`));
  await ended(store, [NOON, NOON]);
  assert.deepEqual(await jobsIn(ground), { completed_20260110: 2, completed_default: 1 });
  assert.equal(await store.clear('q', ['completed']), 3);
});
