import { optionInvalid } from '../../core/errors.ts';
import type { Job } from '../../core/job.ts';
import { JOB_STATES, type JobState } from '../../core/job-state.ts';
import type { JobFilter, JobPage } from '../store.ts';
import { WHOLE_INPUT } from './inputs.ts';
import { HELD_SEQS } from './leases.ts';
import type { JobRow, Tx } from './rows.ts';
import { foundBy } from './terms.ts';
import { TURN } from './turns.ts';

/** A job with who holds it. */
interface HeldJobRow extends JobRow {
  readonly whole_input: string | null;
  readonly worker_id: string | null;
  readonly expires_at: number | null;
}

/** To be followed by WHERE. */
const SELECT_JOB = `
  SELECT job.*, ${WHOLE_INPUT} AS whole_input, lease.worker_id, lease.expires_at
  FROM job LEFT JOIN lease ON lease.token = job.lease`;

/** What there is to see. Nothing here writes. */
export function get(tx: Tx, ids: readonly string[]): (Job | null)[] {
  return ids.map((id) => {
    const row = tx.db.get<HeldJobRow>(`${SELECT_JOB} WHERE job.id = ?`, id);
    return row === undefined ? null : toJob(row);
  });
}

export function list(tx: Tx, filter: JobFilter): JobPage {
  const { limit, cursor, queue, task } = filter;
  if (cursor !== undefined && !/^\d{1,15}$/.test(cursor))
    throw optionInvalid('cursor', cursor, 'the cursor of an earlier page');
  const states = filter.states ?? JOB_STATES;
  const found = foundBy(filter);
  const candidates = found === null ? sparse(tx, filter, states) : null;
  // Not by the order of seq where few are looked for: that would go past all others.
  const seq = found === null ? 'job.seq' : '+job.seq';
  const rows = tx.db.all<HeldJobRow>(
    `${SELECT_JOB} WHERE ${seq} < ? ${found === null ? '' : `AND job.seq IN (${found.seqs})`}
       ${candidates === null ? '' : `AND job.seq IN (SELECT value FROM json_each(?))`}
       AND (? IS NULL OR job.queue = ?) AND (? IS NULL OR job.task = ?)
       AND job.state IN (SELECT value FROM json_each(?))
     ORDER BY ${seq} DESC LIMIT +?`,
    cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor),
    ...(found?.values ?? []),
    ...(candidates === null ? [] : [JSON.stringify(candidates)]),
    queue ?? null,
    queue ?? null,
    task ?? null,
    task ?? null,
    JSON.stringify(states),
    limit + 1,
  );
  const jobs = rows.slice(0, limit).map(toJob);
  const last = jobs.at(-1);
  return { jobs, cursor: rows.length > limit && last !== undefined ? String(last.seq) : null };
}

function toJob(row: HeldJobRow): Job {
  return {
    id: row.id,
    seq: row.seq,
    queue: row.queue,
    task: row.task,
    state: row.state,
    priority: row.priority,
    input: row.whole_input,
    result: row.result,
    attempt: row.attempt,
    attemptsMax: row.attempts_max,
    crashes: row.crashes,
    createdAt: row.created_at,
    dueAt: row.due_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    uniqueKey: row.unique_key,
    key: row.key,
    held: row.turn === TURN.held,
    progress: row.progress,
    meta: row.meta,
    cancelRequested: row.cancel_requested === 1,
    workerId: row.worker_id,
    leaseExpiresAt: row.expires_at,
  };
}

/**
 * Up to this many jobs are found by their state's index; more of them are met soon enough by going back. Counting them takes 5 ms,
 * which to go past hundreds of thousands of others takes many times.
 */
const SPARSE_MAX = 50_000;
/** So many where each has to be looked at, for its task. */
const SPARSE_OF_TASK_MAX = 5_000;

/** The seqs of jobs in these states and this queue, if they are few: of a task all, otherwise those of the page. Null if they are many. */
function sparse(tx: Tx, filter: JobFilter, states: readonly JobState[]): number[] | null {
  const { queue, task, cursor, limit } = filter;
  if (queue === undefined && states.length === JOB_STATES.length) return null;
  const most = task === undefined ? SPARSE_MAX : SPARSE_OF_TASK_MAX;
  const selects = states.map((state) => seqsIn(state, queue));
  let found = 0;
  for (const { sql, values } of selects) {
    const row = tx.db.get<{ n: number }>(
      `SELECT count(*) AS n FROM (${sql} LIMIT +?)`,
      ...values,
      most + 1 - found,
    );
    found += row?.n ?? 0;
    if (found > most) return null;
  }
  const room = task === undefined ? limit + 1 : most;
  const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor);
  return selects.flatMap(({ sql, values }) =>
    tx.db
      .all<{ seq: number }>(
        `SELECT seq FROM (${sql}) WHERE seq < ? ORDER BY seq DESC LIMIT +?`,
        ...values,
        before,
        room,
      )
      .map(({ seq }) => seq),
  );
}

interface Seqs {
  readonly sql: string;
  readonly values: readonly string[];
}

function seqsIn(state: JobState, queue: string | undefined): Seqs {
  const inQueue = queue === undefined ? '' : 'AND queue = ?';
  const values = queue === undefined ? [] : [queue];
  switch (state) {
    case 'running':
      return { sql: `${HELD_SEQS} ${queue === undefined ? '' : 'WHERE job.queue = ?'}`, values };
    case 'ready':
      return {
        sql: [READY, LET_IN, HELD].map((select) => `${select} ${inQueue}`).join(' UNION ALL '),
        values: [...values, ...values, ...values],
      };
    case 'scheduled':
      return {
        sql: `SELECT seq FROM job INDEXED BY job_scheduled WHERE state = 'scheduled' ${inQueue}`,
        values,
      };
    default:
      return {
        sql: `SELECT seq FROM job INDEXED BY job_finished
          WHERE finished_at IS NOT NULL AND state = '${state}' ${inQueue}`,
        values,
      };
  }
}

const READY = `SELECT seq FROM job INDEXED BY job_ready WHERE state = 'ready' AND turn = ${TURN.line}`;
const LET_IN = `SELECT seq FROM job INDEXED BY job_ticket WHERE turn = ${TURN.letIn}`;
const HELD = `SELECT seq FROM job INDEXED BY job_key WHERE key IS NOT NULL AND turn = ${TURN.held} AND turn < 2`;
