import type { Settlement } from '../store.ts';
import type { Run } from './completions.ts';
import { type Departures, parseToken, type Token } from './leases.ts';
import { reportCompleted, reportRun } from './reports.ts';
import type { Tx } from './rows.ts';

/**
 * The settle rule for `completed`, written as statements, for one job and for many: most outcomes are this one. A
 * test compares all of them with the rule. A job with a key of either kind, or in a queue that keeps nothing, takes
 * the general way (settle.ts). Jobs that report to a plan are looked for only where the plain way found some: it leaves them out.
 */
const OPEN = `state = 'running' AND unique_key IS NULL AND job.key IS NULL`;
const REPORTS = `coalesce(instr(job.meta, '"plan"') > 0, 0)`;
const PLAIN = `${OPEN} AND NOT ${REPORTS}`;

const COMPLETE = `
  UPDATE job SET state = 'completed', result = ?, finished_at = ?, lease = NULL
  WHERE seq = ? AND id = ? AND lease = ? AND `;
const [COMPLETE_PLAIN, COMPLETE_ANY] = [COMPLETE + PLAIN, COMPLETE + OPEN];

/** Rows of one statement: with 20, a row takes 1.1 µs instead of 1.7; more of them gain little. */
const ROWS = 20;
const COMPLETE_MANY = `
  UPDATE job SET state = 'completed', result = ended.column1, finished_at = ?, lease = NULL
  FROM (VALUES ${Array(ROWS).fill('(?, ?, ?, ?)').join(', ')}) AS ended
  WHERE seq = ended.column2 AND job.id = ended.column3 AND lease = ended.column4 AND `;
const [COMPLETE_MANY_PLAIN, COMPLETE_MANY_ANY] = [COMPLETE_MANY + PLAIN, COMPLETE_MANY + OPEN];

/** NOT INDEXED: the rows stand side by side, and no index holds running jobs. */
const RUN = `WHERE seq BETWEEN ? AND ? AND lease = ?`;
export const RUN_IDS = `SELECT json_group_array(id) AS ids, total(${REPORTS}) AS reports FROM job NOT INDEXED ${RUN} AND ${OPEN}`;
export const COMPLETE_RUN = `
  UPDATE job NOT INDEXED SET state = 'completed', finished_at = ?, lease = NULL ${RUN}`;
export const COMPLETE_RUN_WITH_RESULTS = `
  UPDATE job SET state = 'completed', finished_at = ?, result = ended.value, lease = NULL
  FROM json_each(?) AS ended WHERE seq = ? + ended.key AND lease = ?`;

/** False when the job is not open to the short way, or not the token's; then nothing was written. */
export function completeOne(tx: Tx, id: string, { seq, batch }: Token, result: string | null): boolean {
  const values = [result, tx.now, seq, id, batch] as const;
  if (tx.db.run(COMPLETE_PLAIN, ...values) === 1) return true;
  if (tx.db.run(COMPLETE_ANY, ...values) === 0) return false;
  reportCompleted(tx, [seq]);
  return true;
}

/**
 * Completes a run (completions.ts) by its range of rows: 0.8 µs a job instead of 1.7. False when some job of it is not
 * open to the short way, or is not the one its token was given for; then nothing was written. SQLite's text of the ids
 * is that of JSON.stringify; where some character is written otherwise, the jobs take the longer way, that is all.
 */
export function completeRun(tx: Tx, { batch, first, jobs, ids, results }: Run): boolean {
  const last = first + jobs - 1;
  const open = tx.db.get<{ ids: string; reports: number }>(RUN_IDS, first, last, batch);
  if (open?.ids !== ids) return false;
  if (results === null) tx.db.run(COMPLETE_RUN, tx.now, first, last, batch);
  else tx.db.run(COMPLETE_RUN_WITH_RESULTS, tx.now, results, first, batch);
  if (open.reports > 0) reportRun(tx, first, last);
  return true;
}

/**
 * Completes all that completed, many to a statement; or none of them, when some are not open to the short way (a key,
 * a lost lease): then each goes its own. Counting the changed rows takes less time than having them returned.
 */
export function completeTogether(
  tx: Tx,
  settlements: readonly Settlement[],
  departures: Departures,
): boolean {
  const completed = settlements.filter(({ outcome }) => outcome.type === 'completed');
  if (completed.length < ROWS) return false;
  const tokens = completed.map(({ token }) => parseToken(token));
  const ids = new Set(settlements.map(({ id }) => id));
  // Two outcomes of one job: the first one counts, and only one at a time tells which that is.
  if (ids.size < settlements.length || tokens.includes(null)) return false;
  tx.db.run('SAVEPOINT together');
  const isDone = completeAllOrNone(tx, completed, tokens as Token[]);
  tx.db.run('RELEASE together');
  if (!isDone) return false;
  for (const { batch } of tokens as Token[]) departures.add(batch);
  tx.topics.add('settled');
  return true;
}

/** First as if none reported; a batch with such jobs is found out by its first rows. */
function completeAllOrNone(tx: Tx, completed: readonly Settlement[], tokens: readonly Token[]): boolean {
  if (completeAll(tx, completed, tokens, [COMPLETE_MANY_PLAIN, COMPLETE_PLAIN])) return true;
  tx.db.run('ROLLBACK TO together');
  if (completeAll(tx, completed, tokens, [COMPLETE_MANY_ANY, COMPLETE_ANY])) {
    reportCompleted(
      tx,
      tokens.map(({ seq }) => seq),
    );
    return true;
  }
  tx.db.run('ROLLBACK TO together');
  return false;
}

/** False as soon as some row was not changed. */
function completeAll(
  tx: Tx,
  completed: readonly Settlement[],
  tokens: readonly Token[],
  [many, one]: readonly [string, string],
): boolean {
  let values: (string | number | null)[] = [tx.now];
  for (const [index, { id, outcome }] of completed.entries()) {
    const { seq, batch } = tokens[index] as Token;
    const result = outcome.type === 'completed' ? outcome.result : null;
    if (completed.length - index <= completed.length % ROWS) {
      if (tx.db.run(one, result, tx.now, seq, id, batch) === 0) return false;
      continue;
    }
    values.push(result, seq, id, batch);
    if (values.length <= ROWS * 4) continue;
    if (tx.db.run(many, ...values) < ROWS) return false;
    values = [tx.now];
  }
  return true;
}
