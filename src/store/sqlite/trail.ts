import type { AttemptError } from '../../core/errors.ts';
import type { LogLine } from '../../core/job.ts';
import { ERRORS_KEPT_FIRST, ERRORS_KEPT_LAST, LOGS_KEPT } from '../../core/trail.ts';
import type { JobTrail } from '../store.ts';
import { type Tx, wholeMs } from './rows.ts';

/** A job's errors and log lines, bounded as core/trail.ts says: each that comes in takes out the one whose place it needs. */
export function addError(tx: Tx, seq: number, error: AttemptError): void {
  const nth = lastOf(tx, 'job_error', seq) + 1;
  tx.db.run(
    'INSERT INTO job_error (seq, nth, attempt, at, name, message, stack, code) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    seq,
    nth,
    error.attempt,
    wholeMs(error.at),
    error.name,
    error.message,
    error.stack,
    error.code,
  );
  if (nth > ERRORS_KEPT_FIRST + ERRORS_KEPT_LAST)
    tx.db.run('DELETE FROM job_error WHERE seq = ? AND nth = ?', seq, nth - ERRORS_KEPT_LAST);
}

export function addLogs(tx: Tx, seq: number, lines: readonly LogLine[]): void {
  if (lines.length === 0) return;
  let nth = lastOf(tx, 'job_log', seq);
  for (const { at, attempt, message, data } of lines) {
    nth += 1;
    tx.db.run(
      'INSERT INTO job_log (seq, nth, at, attempt, message, data) VALUES (?, ?, ?, ?, ?, ?)',
      seq,
      nth,
      wholeMs(at),
      attempt,
      message,
      data,
    );
  }
  if (nth > LOGS_KEPT) tx.db.run('DELETE FROM job_log WHERE seq = ? AND nth <= ?', seq, nth - LOGS_KEPT);
}

function lastOf(tx: Tx, table: 'job_error' | 'job_log', seq: number): number {
  return (
    tx.db.get<{ nth: number }>(`SELECT nth FROM ${table} WHERE seq = ? ORDER BY nth DESC LIMIT 1`, seq)
      ?.nth ?? 0
  );
}

export function trail(tx: Tx, id: string): JobTrail | null {
  const job = tx.db.get<{ seq: number }>('SELECT seq FROM job WHERE id = ?', id);
  if (job === undefined) return null;
  const errors = tx.db.all<AttemptError>(
    'SELECT attempt, at, name, message, stack, code FROM job_error WHERE seq = ? ORDER BY nth',
    job.seq,
  );
  const logs = tx.db.all<LogLine>(
    'SELECT at, attempt, message, data FROM job_log WHERE seq = ? ORDER BY nth',
    job.seq,
  );
  return {
    errors,
    errorsOmitted: lastOf(tx, 'job_error', job.seq) - errors.length,
    logs,
    logsOmitted: lastOf(tx, 'job_log', job.seq) - logs.length,
    audit: tx.db.all(
      'SELECT at, action, by, why, from_state AS "from", to_state AS "to" FROM audit WHERE seq = ? ORDER BY no',
      job.seq,
    ),
  };
}
