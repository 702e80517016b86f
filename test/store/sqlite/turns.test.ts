import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANY_KEY, DUE_WITH_KEY, FIRST_TICKET } from '../../../src/store/sqlite/claim.ts';
import { openDatabase } from '../../../src/store/sqlite/database.ts';
import { FIRST_IN_LINE } from '../../../src/store/sqlite/quota.ts';
import { FIRST_HELD, LINE_LENGTH } from '../../../src/store/sqlite/turns.ts';
import { Place } from './place.ts';

test('whose turn it is, is found by the partial indexes alone', async (t) => {
  const { file } = await Place.make(t);
  const db = openDatabase(file);
  t.after(() => db.close());
  const plan = (sql: string) =>
    db
      .all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
      .map(({ detail }) => detail)
      .filter((step) => /^(SEARCH|SCAN) job/.test(step));
  assert.deepEqual(plan(ANY_KEY), ['SEARCH job USING COVERING INDEX job_key (queue=? AND key>?)']);
  assert.deepEqual(plan(LINE_LENGTH), [
    'SEARCH job USING COVERING INDEX job_key (queue=? AND key=? AND turn<?)',
  ]);
  assert.deepEqual(plan(FIRST_HELD), [
    'SEARCH job USING COVERING INDEX job_key (queue=? AND key=? AND turn=?)',
  ]);
  assert.deepEqual(plan(FIRST_TICKET), ['SEARCH job USING COVERING INDEX job_ticket (queue=?)']);
  assert.deepEqual(plan(FIRST_IN_LINE), [
    'SEARCH job USING INDEX job_ready (queue=?)',
    'SEARCH job USING INDEX job_ticket (queue=?)',
  ]);
  assert.deepEqual(plan(DUE_WITH_KEY), ['SEARCH job USING INDEX job_scheduled (queue=? AND due_at<?)']);
});
