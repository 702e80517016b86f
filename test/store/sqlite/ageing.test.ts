import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NEXT_HELD_KEY, NEXT_TO_AGE } from '../../../src/store/sqlite/ageing.ts';
import { openDatabase } from '../../../src/store/sqlite/database.ts';
import { Place } from './place.ts';

test('a sweep goes on from where it stands, whatever lies before', async (t) => {
  const { file } = await Place.make(t);
  const db = openDatabase(file);
  t.after(() => db.close());
  const plan = (sql: string) =>
    db
      .all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
      .map(({ detail }) => detail)
      .filter((step) => /^(SEARCH|SCAN) job/.test(step));
  assert.deepEqual(plan(NEXT_TO_AGE.line), [
    'SEARCH job USING INDEX job_ready (queue=? AND priority=? AND seq>?)',
    'SEARCH job USING INDEX job_ready (queue=? AND priority>?)',
  ]);
  assert.deepEqual(plan(NEXT_TO_AGE.letIn), [
    'SEARCH job USING INDEX job_ticket (queue=? AND priority=? AND ticket>?)',
    'SEARCH job USING INDEX job_ticket (queue=? AND priority>?)',
  ]);
  assert.deepEqual(plan(NEXT_TO_AGE.held), [
    'SEARCH job USING INDEX job_key (queue=? AND key=? AND turn=? AND priority=? AND rowid>?)',
    'SEARCH job USING INDEX job_key (queue=? AND key=? AND turn=? AND priority>?)',
  ]);
  assert.deepEqual(plan(NEXT_HELD_KEY), ['SEARCH job USING COVERING INDEX job_key (queue=? AND key>?)']);
});
