import type { AttemptError } from '../../core/errors.ts';
import { isTerminal, type JobMove, type TerminalState } from '../../core/job-state.ts';
import type { OutcomeType } from '../../core/outcome.ts';
import { type JobChange, settle as rule, type SettleSubject } from '../../core/settle-rule.ts';
import type { AnnotateReceipt, Note, Settlement, SettleReceipt } from '../store.ts';
import { Departures, parseToken, type Token } from './leases.ts';
import { type Drops, deleteJob, dropsOf } from './retention.ts';
import { type Ending, type JobRow, requireMove, type Tx, wholeMs } from './rows.ts';
import { afterLeaving, TURN, turnAfter } from './turns.ts';
import { releaseKey } from './unique.ts';

/** Outcomes in, each fenced by its token: the settle rule decides, this writes it down. */

/**
 * The settle rule for `completed`, written as one statement, for one job and for many: most outcomes are this one. A
 * test compares both with the rule. A job with a key of either kind, or in a queue that keeps nothing, takes the general way.
 */
const COMPLETE = `
  UPDATE job SET state = 'completed', result = ?, finished_at = ?, lease = NULL
  WHERE seq = ? AND id = ? AND lease = ? AND state = 'running' AND unique_key IS NULL AND key IS NULL`;

/** Rows of one statement: with 20, a row takes 1.1 µs instead of 1.7; more of them gain little. */
const ROWS = 20;
const COMPLETE_MANY = `
  UPDATE job SET state = 'completed', result = ended.column1, finished_at = ?, lease = NULL
  FROM (VALUES ${Array(ROWS).fill('(?, ?, ?, ?)').join(', ')}) AS ended
  WHERE seq = ended.column2 AND id = ended.column3 AND lease = ended.column4
    AND state = 'running' AND unique_key IS NULL AND key IS NULL`;

const LEASED = `SELECT * FROM job WHERE seq = ? AND id = ? AND lease = ? AND state = 'running'`;

const MOVES: Readonly<Record<OutcomeType, JobMove>> = {
  completed: 'complete',
  retried: 'retry',
  failed: 'fail',
  cancelled: 'cancel',
  snoozed: 'snooze',
  released: 'release',
};

export function settle(tx: Tx, settlements: readonly Settlement[]): SettleReceipt[] {
  const drops = dropsOf(tx);
  const departures = new Departures();
  const together = drops.none && completeTogether(tx, settlements, departures);
  const receipts = settlements.map((settlement) =>
    together && settlement.outcome.type === 'completed'
      ? COMPLETED
      : settleOne(tx, settlement, drops, departures),
  );
  departures.write(tx);
  return receipts;
}

const COMPLETED: SettleReceipt = { status: 'settled', state: 'completed' };

/**
 * Completes all that completed, many to a statement; or none of them, when some are not open to the short way (a key,
 * a lost lease): then each goes its own. Counting the changed rows takes less time than having them returned.
 */
function completeTogether(tx: Tx, settlements: readonly Settlement[], departures: Departures): boolean {
  const completed = settlements.filter(({ outcome }) => outcome.type === 'completed');
  if (completed.length < ROWS) return false;
  const tokens = completed.map(({ token }) => parseToken(token));
  const ids = new Set(settlements.map(({ id }) => id));
  // Two outcomes of one job: the first one counts, and only one at a time tells which that is.
  if (ids.size < settlements.length || tokens.includes(null)) return false;
  tx.db.exec('SAVEPOINT together');
  const changed = completeAll(tx, completed, tokens as Token[]);
  if (changed < completed.length) tx.db.exec('ROLLBACK TO together');
  tx.db.exec('RELEASE together');
  if (changed < completed.length) return false;
  for (const { batch } of tokens as Token[]) departures.add(batch);
  tx.topics.add('settled');
  return true;
}

/** Returns how many rows it changed. */
function completeAll(tx: Tx, completed: readonly Settlement[], tokens: readonly Token[]): number {
  let changed = 0;
  let values: (string | number | null)[] = [tx.now];
  for (const [index, { id, outcome }] of completed.entries()) {
    const { seq, batch } = tokens[index] as Token;
    const result = outcome.type === 'completed' ? outcome.result : null;
    if (completed.length - index <= completed.length % ROWS) {
      changed += tx.db.run(COMPLETE, result, tx.now, seq, id, batch);
      continue;
    }
    values.push(result, seq, id, batch);
    if (values.length <= ROWS * 4) continue;
    changed += tx.db.run(COMPLETE_MANY, ...values);
    values = [tx.now];
  }
  return changed;
}

function settleOne(
  tx: Tx,
  { id, token: text, outcome }: Settlement,
  drops: Drops,
  departures: Departures,
): SettleReceipt {
  const token = parseToken(text);
  if (token === null) return { status: 'lost' };
  const { batch, seq } = token;
  if (outcome.type === 'completed' && drops.none) {
    if (tx.db.run(COMPLETE, outcome.result, tx.now, seq, id, batch) === 1) {
      departures.add(batch);
      tx.topics.add('settled');
      return COMPLETED;
    }
  }
  const job = leasedJob(tx, id, token);
  if (job === undefined) return { status: 'lost' };
  const change = rule(subjectOf(job), outcome, tx.now);
  applyChange(tx, job, MOVES[outcome.type], change, drops);
  departures.add(batch);
  return { status: 'settled', state: change.state };
}

export function subjectOf(job: JobRow): SettleSubject {
  const { attempt, attempts_max: attemptsMax, crashes } = job;
  return { attempt, attemptsMax, crashes, cancelRequested: job.cancel_requested === 1 };
}

/** Writes down what the settle rule returned for a running job, and all that follows from it. */
export function applyChange(tx: Tx, job: JobRow, move: JobMove, change: JobChange, drops: Drops): void {
  requireMove(job, move, change.state);
  const turn = turnAfter(tx, job, move, change.state);
  tx.db.run(
    `UPDATE job SET state = ?, turn = ?, attempt = ?, crashes = ?, due_at = ?, finished_at = ?, result = ?, lease = NULL
     WHERE seq = ?`,
    change.state,
    turn,
    change.attempt,
    change.crashes,
    wholeMs(change.dueAt ?? job.due_at),
    change.finishedAt ?? null,
    change.result ?? null,
    job.seq,
  );
  if (turn > TURN.line) afterLeaving(tx, job);
  if (change.error !== undefined) addError(tx, job.seq, change.error);
  if (isTerminal(change.state)) finish(tx, job, change.state, drops);
  else tx.topics.add('ready');
}

/** A job that has just ended gives its key up, and goes at once where nothing is kept. */
export function finish(tx: Tx, job: Ending, state: TerminalState, drops: Drops): void {
  tx.topics.add('settled');
  releaseKey(tx, job, state);
  if (drops.has(job.queue, state)) deleteJob(tx, job.seq);
}

function addError(tx: Tx, seq: number, error: AttemptError): void {
  tx.db.run(
    'INSERT INTO job_error (seq, attempt, at, name, message, stack, code) VALUES (?, ?, ?, ?, ?, ?, ?)',
    seq,
    error.attempt,
    wholeMs(error.at),
    error.name,
    error.message,
    error.stack,
    error.code,
  );
}

export function annotate(tx: Tx, notes: readonly Note[]): AnnotateReceipt[] {
  return notes.map((note) => {
    const token = parseToken(note.token);
    const job = token === null ? undefined : leasedJob(tx, note.id, token);
    if (job === undefined) return 'lost';
    if (note.progress !== undefined)
      tx.db.run('UPDATE job SET progress = ? WHERE seq = ?', note.progress, job.seq);
    for (const { at, attempt, message, data } of note.logs ?? []) {
      tx.db.run(
        'INSERT INTO job_log (seq, at, attempt, message, data) VALUES (?, ?, ?, ?, ?)',
        job.seq,
        wholeMs(at),
        attempt,
        message,
        data,
      );
    }
    return 'noted';
  });
}

function leasedJob(tx: Tx, id: string, { batch, seq }: Token): JobRow | undefined {
  return tx.db.get<JobRow>(LEASED, seq, id, batch);
}
