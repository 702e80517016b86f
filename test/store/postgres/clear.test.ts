import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLEAR_STEP } from '../../../src/store/postgres/clear.ts';
import { openSession, type Session } from '../../../src/store/postgres/session.ts';
import type { JobSpec } from '../../../src/store/store.ts';
import { spec } from '../../../src/testing/store-conformance/trial.ts';
import { eventually } from '../../stage.ts';
import { Ground } from './ground.ts';

/** Jobs of an entry of `fresh` at most (migrations/0002-turns.sql): a step ends with a whole one. */
const ENTRY = 128;

function specs(length: number, changes: Partial<JobSpec> = {}): JobSpec[] {
  return Array.from({ length }, () => spec(changes));
}

async function session(ground: Ground): Promise<Session> {
  const made = await openSession(ground.place);
  ground.finally(() => made.close());
  return made;
}

test('clear goes in steps: while one waits, those before it are done and enqueues pass', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  const jobs = 2 * CLEAR_STEP + 10;
  await store.enqueue(specs(jobs));
  const holding = await session(ground);
  await holding.query('BEGIN');
  await holding.query(`SELECT FROM ${ground.name}.job ORDER BY seq DESC LIMIT 1 FOR UPDATE`);
  const clearing = store.clear('q', ['ready']);
  const left = async (): Promise<number> =>
    Number((await ground.query(`SELECT count(*) AS jobs FROM ${ground.name}.job`))[0]?.jobs);
  await eventually(async () => (await left()) <= CLEAR_STEP);
  assert.ok((await left()) > 0);
  await store.enqueue(specs(3));
  await holding.query('COMMIT');
  assert.equal(await clearing, jobs);
  assert.equal(await left(), 3, 'what was added meanwhile stays');
});

test('a clear that was called before close is carried out, step by step', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  await store.enqueue(specs(2 * CLEAR_STEP));
  const clearing = store.clear('q', ['ready']);
  await store.close();
  assert.equal(await clearing, 2 * CLEAR_STEP);
});

interface Touched {
  readonly rows: number;
}

/** Rows of job and history that one statement reads, whether they fit or not. */
async function touchedBy(asking: Session, statement: string): Promise<number> {
  await asking.query('BEGIN');
  const before = await readBy(asking);
  await asking.query(statement);
  const after = await readBy(asking);
  await asking.query('ROLLBACK');
  return after - before;
}

async function readBy(asking: Session): Promise<number> {
  const [touched] = await asking.query<Touched>(
    `SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint AS rows FROM pg_stat_xact_user_tables
     WHERE schemaname = current_schema()`,
  );
  return touched?.rows ?? 0;
}

const KINDS: Readonly<Record<string, Partial<JobSpec>>> = {
  keyed: { key: 'k' },
  scheduled: { delayMs: 3_600_000 },
  // Last, since a page is looked for from the newest job on.
  fresh: {},
};

test('a step of clear and a page of the list touch few rows, however many jobs there are', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  const step = 100;
  for (const [queue, changes] of Object.entries(KINDS))
    await store.enqueue(specs(6_000, { queue, ...changes }));
  const ended = specs(6_000, { queue: 'ended' });
  await store.enqueue(ended);
  await store.control(ended.map(({ id }) => ({ type: 'cancel', id, by: 'ada', why: null })));
  const asking = await session(ground);
  await asking.query(`SET search_path TO ${ground.name}`);
  await asking.query(`UPDATE history SET finished_at = finished_at + seq`);
  const statements = {
    fresh: `SELECT * FROM clear_fresh('fresh', 1000000, ${step})`,
    keyed: `SELECT * FROM clear_live('keyed', '{ready}', 1000000, ${step})`,
    scheduled: `SELECT * FROM clear_live('scheduled', '{scheduled}', 1000000, ${step})`,
    ended: `SELECT * FROM clear_ended('ended', 'cancelled', 1000000, 0, ${step})`,
    page: `SELECT list_live('{ready}', 'fresh', NULL, 1000000, ${step})`,
  };
  for (const known of [false, true]) {
    if (known) await asking.query('ANALYZE');
    for (const [what, statement] of Object.entries(statements)) {
      const touched = await touchedBy(asking, statement);
      assert.ok(touched >= step, `${what}: ${touched}`);
      assert.ok(
        touched <= 10 * (step + ENTRY),
        `${what}, ${known ? 'analyzed' : 'not analyzed'}: ${touched}`,
      );
    }
  }
});
