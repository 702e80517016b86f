import { isTerminal } from '../../core/job-state.ts';
import { planRefIn } from '../../core/plan.ts';
import type { NewReport, Report } from '../plans.ts';
import type { JobRow, Tx } from './rows.ts';

/** Reports to plans: what the end of a job, or a signal, leaves for the next planner. */

/** The one way in which a job that has just ended, or goes without having ended, reports. Reads the job as it stands. */
export function reportEnd(tx: Tx, seq: number): void {
  const job = tx.db.get<JobRow>('SELECT * FROM job WHERE seq = ?', seq);
  if (job === undefined) return;
  const ref = planRefIn(job.meta);
  if (ref === null) return;
  const state = isTerminal(job.state) ? job.state : 'cancelled';
  const { id, attempt, started_at: startedAt } = job;
  const result = state === 'completed' ? job.result : null;
  const error = state === 'completed' ? null : lastError(tx, seq);
  addReport(tx, { ...ref, state, result, job: id, attempt, startedAt, at: tx.now }, error);
}

/** As `reportEnd`, for jobs that completed, all in one statement: `order` is that of their reports. */
function reportsOf(jobs: string, order: string): string {
  return `
  INSERT INTO report (plan, part, job, state, result, attempt, started_at, at)
  SELECT plan.key, substr(ended.ref, instr(ended.ref || char(31), char(31)) + 1), ended.id, 'completed', ended.result,
    ended.attempt, ended.started_at, ?
  FROM (SELECT job.id, job.result, job.attempt, job.started_at, ${order} AS place,
      CASE WHEN json_valid(job.meta) THEN json_extract(job.meta, '$.plan') END AS ref
    FROM ${jobs} AND instr(job.meta, '"plan"') > 0) AS ended
  CROSS JOIN plan ON plan.key = substr(ended.ref, 1, instr(ended.ref || char(31), char(31)) - 1)
  WHERE typeof(ended.ref) = 'text' ORDER BY ended.place`;
}

const REPORT_RUN = reportsOf('job NOT INDEXED WHERE job.seq BETWEEN ? AND ?', 'job.seq');
const REPORT_EACH = reportsOf(
  'json_each(?) AS given CROSS JOIN job ON job.seq = given.value WHERE 1',
  'given.key',
);

/** All jobs of this range. */
export function reportRun(tx: Tx, first: number, last: number): void {
  if (tx.db.run(REPORT_RUN, tx.now, first, last) > 0) tx.topics.add('plan');
}

export function reportCompleted(tx: Tx, seqs: readonly number[]): void {
  if (tx.db.run(REPORT_EACH, tx.now, JSON.stringify(seqs)) > 0) tx.topics.add('plan');
}

/** JSON, as AttemptError; null where the job has none. */
function lastError(tx: Tx, seq: number): string | null {
  return (
    tx.db.get<{ error: string }>(
      `SELECT json_object('attempt', attempt, 'at', at, 'name', name, 'message', message, 'stack', stack, 'code', code)
         AS error FROM job_error WHERE seq = ? ORDER BY nth DESC LIMIT 1`,
      seq,
    )?.error ?? null
  );
}

/** False where there is no such plan: the report is dropped. */
export function tell(tx: Tx, report: NewReport): boolean {
  const error = report.error === null ? null : JSON.stringify(report.error);
  return addReport(tx, { ...report, job: null, attempt: 0, startedAt: null, at: tx.now }, error);
}

function addReport(tx: Tx, report: Omit<Report, 'no' | 'error'>, error: string | null): boolean {
  const { plan, as, job, state, result, attempt, startedAt, at } = report;
  const added = tx.db.run(
    `INSERT INTO report (plan, part, job, state, result, error, attempt, started_at, at)
     SELECT ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM plan WHERE key = ?)`,
    plan,
    as,
    job,
    state,
    result,
    error,
    attempt,
    startedAt,
    at,
    plan,
  );
  if (added > 0) tx.topics.add('plan');
  return added > 0;
}
