import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { type JobChange, settle as rule } from '../../../src/core/settle-rule.ts';
import {
  FIRST,
  FIRST_READY,
  LEASE_FIRST,
  LEASE_RANGE,
  NEXT_DUE,
  PROMOTE,
} from '../../../src/store/sqlite/claim.ts';
import { COMPLETE_RUN, COMPLETE_RUN_WITH_RESULTS, RUN_IDS } from '../../../src/store/sqlite/complete.ts';
import { packCompletions } from '../../../src/store/sqlite/completions.ts';
import type { Connection } from '../../../src/store/sqlite/connection.ts';
import { openDatabase } from '../../../src/store/sqlite/database.ts';
import type { JobRow } from '../../../src/store/sqlite/rows.ts';
import { settle, subjectOf } from '../../../src/store/sqlite/settle.ts';
import type { Settlement } from '../../../src/store/store.ts';
import { Place } from './place.ts';

async function database(t: TestContext): Promise<Connection> {
  const { file } = await Place.make(t);
  const db = openDatabase(file);
  t.after(() => db.close());
  return db;
}

const planIn = (db: Connection) => (sql: string) =>
  db
    .all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
    .map(({ detail }) => detail)
    // Some versions of SQLite add one; it changes nothing about what is searched.
    .filter((detail) => detail !== 'CREATE BLOOM FILTER');

test('a claim finds its jobs by the partial indexes alone', async (t) => {
  const plan = planIn(await database(t));
  assert.deepEqual(plan(FIRST_READY), ['SEARCH job USING COVERING INDEX job_ready (queue=?)']);
  assert.deepEqual(plan(NEXT_DUE), ['SEARCH job USING COVERING INDEX job_scheduled (queue=?)']);
  assert.deepEqual(plan(FIRST), [
    'CO-ROUTINE (subquery-1)',
    'SEARCH job USING INDEX job_ready (queue=?)',
    'SCAN (subquery-1)',
  ]);
  assert.deepEqual(plan(LEASE_FIRST), [
    'SEARCH job USING INTEGER PRIMARY KEY (rowid=?)',
    'LIST SUBQUERY 1',
    'SEARCH job USING COVERING INDEX job_ready (queue=?)',
  ]);
  assert.deepEqual(plan(PROMOTE), [
    'SEARCH job USING INTEGER PRIMARY KEY (rowid=?)',
    'LIST SUBQUERY 1',
    'SEARCH job USING COVERING INDEX job_scheduled (queue=? AND due_at<?)',
  ]);
});

test('jobs that stand side by side are leased and completed by their numbers', async (t) => {
  const plan = planIn(await database(t));
  for (const sql of [LEASE_RANGE, RUN_IDS, COMPLETE_RUN])
    assert.deepEqual(plan(sql), ['SEARCH job USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)']);
  assert.deepEqual(plan(COMPLETE_RUN_WITH_RESULTS), [
    'SCAN ended VIRTUAL TABLE INDEX 1:',
    'SEARCH job USING INTEGER PRIMARY KEY (rowid=?)',
  ]);
});

/** In nine of ten cases as most jobs are. */
const mostly = <Value>(usual: Value, other: Value) =>
  fc.oneof({ arbitrary: fc.constant(usual), weight: 9 }, fc.constant(other));
const fields = {
  attempt: fc.integer({ min: 1, max: 9 }),
  attempts_max: fc.integer({ min: 1, max: 9 }),
  crashes: fc.integer({ min: 0, max: 3 }),
  cancel_requested: fc.constantFrom(0, 1),
  due_at: fc.integer({ min: 1, max: 1_000 }),
};
const text = fc.string({ unit: 'binary' }).filter((string) => !string.includes('\0'));
const results = {
  some: fc.option(fc.oneof(fc.json({ maxDepth: 1 }), text), { nil: null }),
  none: fc.constant(null),
};
const subject: fc.Arbitrary<Subject> = fc.record({
  ...fields,
  result: results.some,
  unique_key: mostly<string | null>(null, 'key'),
  // What claim never gave, or what was settled before.
  stale: mostly(false, true),
});

/** One job takes the statement for one, 20 take the one for many, 45 take both. */
for (const jobs of [1, 20, 45]) {
  test(`the short way to complete ${jobs} jobs writes what the settle rule says`, async (t) => {
    const db = await database(t);
    const runs = { numRuns: Math.ceil(200 / jobs) };
    fc.assert(
      fc.property(fc.array(subject, { minLength: jobs, maxLength: jobs }), (subjects) => {
        db.run('DELETE FROM job');
        compare(db, subjects, (settlements) => settlements);
      }),
      runs,
    );
  });
}

for (const [name, result] of Object.entries(results)) {
  test(`a run of jobs, with ${name === 'none' ? 'no ' : ''}results, is completed as the settle rule says`, async (t) => {
    const db = await database(t);
    const open = fc.record({ ...fields, result, unique_key: fc.constant(null), stale: fc.constant(false) });
    const length = { minLength: 16, maxLength: 30 };
    fc.assert(
      fc.property(fc.oneof(fc.array(open, length), fc.array(subject, length)), (subjects) => {
        db.run('DELETE FROM job');
        compare(db, subjects, (settlements) => {
          const packed = packCompletions(settlements);
          assert.equal(packed?.runs.length, 1);
          return packed as NonNullable<typeof packed>;
        });
      }),
      { numRuns: 30 },
    );
  });
}

interface Subject
  extends Pick<
    JobRow,
    'attempt' | 'attempts_max' | 'crashes' | 'cancel_requested' | 'due_at' | 'unique_key'
  > {
  readonly result: string | null;
  readonly stale: boolean;
}

function compare(
  db: Connection,
  subjects: readonly Subject[],
  packed: (settlements: readonly Settlement[]) => Parameters<typeof settle>[1],
): void {
  const now = 2_000;
  const expected = subjects.map((subject, index) => {
    const before = insert(db, `id${index}`, subject);
    const { result, stale } = subject;
    const outcome = { type: 'completed', result } as const;
    const token = `7.${before.seq}`;
    const change = rule(subjectOf(before), outcome, now);
    return { settlement: { id: before.id, token, outcome }, before, change, stale };
  });
  const tx = { db, now, topics: new Set<never>() };
  assert.deepEqual(
    settle(tx, packed(expected.map(({ settlement }) => settlement))),
    expected.map(({ stale, change }) =>
      stale ? { status: 'lost' } : { status: 'settled', state: change.state },
    ),
  );
  assert.deepEqual(
    db.all<JobRow>('SELECT * FROM job ORDER BY seq').map((row) => ({ ...row })),
    expected.map(({ stale, before, change }) => (stale ? before : changed(before, change))),
  );
  assert.deepEqual([...tx.topics], expected.some(({ stale }) => !stale) ? ['settled'] : []);
}

function insert(db: Connection, id: string, subject: Subject): JobRow {
  const { attempt, attempts_max, crashes, cancel_requested, due_at, unique_key, stale } = subject;
  const seq = db.insert(
    `INSERT INTO job (id, queue, task, state, priority, attempt, attempts_max, crashes, cancel_requested, lease,
       created_at, due_at, started_at, unique_key, input)
     VALUES (?, 'q', 'task', 'running', 0, ?, ?, ?, ?, ?, 1, ?, 1000, ?, '1')`,
    ...[id, attempt, attempts_max, crashes, cancel_requested, stale ? 8 : 7, due_at, unique_key],
  );
  return { ...(db.get<JobRow>('SELECT * FROM job WHERE seq = ?', seq) as JobRow) };
}

function changed(before: JobRow, change: JobChange): JobRow {
  return {
    ...before,
    state: change.state,
    attempt: change.attempt,
    crashes: change.crashes,
    due_at: change.dueAt ?? before.due_at,
    finished_at: change.finishedAt ?? null,
    result: change.result ?? null,
    lease: null,
  };
}

test('of two outcomes of one job in a large batch, the first counts', async (t) => {
  const db = await database(t);
  const tx = { db, now: 2_000, topics: new Set<never>() };
  const subject = {
    attempt: 1,
    attempts_max: 3,
    crashes: 0,
    cancel_requested: 0,
    due_at: 1,
    unique_key: null,
  };
  const batch = Array.from({ length: 20 }, (_, index) => {
    const { id, seq } = insert(db, `id${index}`, { ...subject, result: null, stale: false });
    return { id, token: `7.${seq}`, outcome: { type: 'completed', result: String(index) } } as const;
  });
  const again = {
    ...(batch[3] as (typeof batch)[number]),
    outcome: { type: 'completed', result: 'late' },
  } as const;
  const receipts = settle(tx, [...batch.slice(0, 19), again]);
  assert.deepEqual(
    receipts.map(({ status }) => status),
    [...Array(19).fill('settled'), 'lost'],
  );
  assert.equal(db.get<JobRow>(`SELECT * FROM job WHERE id = 'id3'`)?.result, '3');
});
