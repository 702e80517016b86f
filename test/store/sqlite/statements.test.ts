import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { settle as rule } from '../../../src/core/settle-rule.ts';
import { FIRST_READY, LEASE, NEXT_DUE, PROMOTE } from '../../../src/store/sqlite/claim.ts';
import type { Connection } from '../../../src/store/sqlite/connection.ts';
import { openDatabase } from '../../../src/store/sqlite/database.ts';
import type { JobRow } from '../../../src/store/sqlite/rows.ts';
import { settle, subjectOf } from '../../../src/store/sqlite/settle.ts';
import { Place } from './place.ts';

async function database(t: TestContext): Promise<Connection> {
  const { file } = await Place.make(t);
  const db = openDatabase(file);
  t.after(() => db.close());
  return db;
}

test('a claim finds its jobs by the partial indexes alone', async (t) => {
  const db = await database(t);
  const plan = (sql: string) =>
    db
      .all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
      .map(({ detail }) => detail)
      // Some versions of SQLite add one; it changes nothing about what is searched.
      .filter((detail) => detail !== 'CREATE BLOOM FILTER');
  assert.deepEqual(plan(FIRST_READY), ['SEARCH job USING COVERING INDEX job_ready (queue=?)']);
  assert.deepEqual(plan(NEXT_DUE), ['SEARCH job USING COVERING INDEX job_scheduled (queue=?)']);
  assert.deepEqual(plan(LEASE), [
    'SEARCH job USING INTEGER PRIMARY KEY (rowid=?)',
    'LIST SUBQUERY 1',
    'SEARCH job USING COVERING INDEX job_ready (queue=?)',
    // The input, where it is too large for the row.
    'CORRELATED SCALAR SUBQUERY 2',
    'SEARCH job_input USING INTEGER PRIMARY KEY (rowid=?)',
  ]);
  assert.deepEqual(plan(PROMOTE), [
    'SEARCH job USING INTEGER PRIMARY KEY (rowid=?)',
    'LIST SUBQUERY 1',
    'SEARCH job USING COVERING INDEX job_scheduled (queue=? AND due_at<?)',
  ]);
});

test('the short way to complete a job writes what the settle rule says', async (t) => {
  const db = await database(t);
  const now = 2_000;
  fc.assert(
    fc.property(
      fc.record({
        attempt: fc.integer({ min: 1, max: 9 }),
        attempts_max: fc.integer({ min: 1, max: 9 }),
        crashes: fc.integer({ min: 0, max: 3 }),
        cancel_requested: fc.constantFrom(0, 1),
        due_at: fc.integer({ min: 1, max: 1_000 }),
        unique_key: fc.constantFrom(null, 'key'),
        result: fc.option(fc.json(), { nil: null }),
      }),
      (given) => {
        const { attempt, attempts_max, crashes, cancel_requested, due_at, unique_key, result } = given;
        db.run('DELETE FROM job');
        const seq = db.insert(
          `INSERT INTO job (id, queue, task, state, priority, attempt, attempts_max, crashes, cancel_requested, lease,
             created_at, due_at, started_at, unique_key, input)
           VALUES ('id', 'q', 'task', 'running', 0, ?, ?, ?, ?, 7, 1, ?, 1000, ?, '1')`,
          ...[attempt, attempts_max, crashes, cancel_requested, due_at, unique_key],
        );
        const before = db.get<JobRow>('SELECT * FROM job') as JobRow;
        const tx = { db, now, topics: new Set<never>() };
        const outcome = { type: 'completed', result } as const;
        const [receipt] = settle(tx, [{ id: 'id', token: `7.${seq}`, outcome }]);
        const change = rule(subjectOf(before), outcome, now);
        assert.deepEqual(receipt, { status: 'settled', state: change.state });
        assert.deepEqual(
          { ...db.get<JobRow>('SELECT * FROM job') },
          {
            ...before,
            state: change.state,
            attempt: change.attempt,
            crashes: change.crashes,
            due_at: change.dueAt ?? before.due_at,
            finished_at: change.finishedAt ?? null,
            result: change.result ?? null,
            lease: null,
          },
        );
        assert.deepEqual([...tx.topics], ['settled']);
      },
    ),
  );
});
