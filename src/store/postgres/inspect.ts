import { type AttemptError, optionInvalid } from '../../core/errors.ts';
import type { AuditEntry, Job, LogLine } from '../../core/job.ts';
import { isTerminal, JOB_STATES, type JobState } from '../../core/job-state.ts';
import { termsWanted } from '../../core/terms.ts';
import type { JobFilter, JobPage, JobTrail } from '../store.ts';
import { type HistoryRow, isUuid, type JobRow, type Tx } from './rows.ts';

/** What there is to see, in both tables: `job` has what lives, `history` what ended. Nothing here writes. */

/** A job of either table, with who holds it. */
type SeenRow = Omit<JobRow, 'trailed' | 'lease' | 'ticket'> &
  Pick<HistoryRow, 'finished_at' | 'result'> & {
    readonly worker_id: string | null;
    readonly expires_at: number | null;
  };

const COLUMNS =
  'seq, id, queue, task, state, priority, attempt, attempts_max, crashes, cancel_requested, created_at, due_at, started_at, unique_key, key, progress, input, meta';

/** Of fresh jobs that run, the lease tells what their rows do not (migrations/0002-turns.sql). */
const FRESH: Readonly<Record<string, string>> = {
  state: "CASE WHEN lease.fresh_at IS NULL THEN job.state ELSE 'running' END AS state",
  attempt: 'CASE WHEN lease.fresh_at IS NULL THEN job.attempt ELSE job.attempt + 1 END AS attempt',
  started_at: 'coalesce(lease.fresh_at, job.started_at) AS started_at',
};

/** To be followed by conditions. */
function selectLive({ schema }: Tx): string {
  const columns = COLUMNS.replaceAll(/\w+/g, (name) => FRESH[name] ?? `job.${name}`);
  return `SELECT ${columns}, turn, NULL::bigint AS finished_at, NULL AS result, lease.worker_id, lease.expires_at
    FROM ${schema}.job LEFT JOIN LATERAL (
      SELECT worker_id, expires_at, NULL::bigint AS fresh_at FROM ${schema}.lease WHERE token = job.lease
      UNION ALL
      SELECT worker_id, expires_at, fresh_at FROM ${schema}.lease
      WHERE job.turn = 3 AND fresh_at IS NOT NULL AND NOT ${isWaiting(schema)}
        AND ${schema}.has_range(lease.firsts, lease.lasts, job.seq, job.seq)
    ) AS lease ON true`;
}

/** The function is_waiting, written out: a call of it costs 20 times as much. */
function isWaiting(schema: string): string {
  return `EXISTS (
    SELECT FROM (
      SELECT next_seq, last_seq FROM ${schema}.fresh
      WHERE fresh.queue = job.queue AND fresh.priority = job.priority AND fresh.first_seq <= job.seq
      ORDER BY fresh.queue DESC, fresh.priority DESC, fresh.first_seq DESC LIMIT 1) AS around
    WHERE job.seq BETWEEN around.next_seq AND around.last_seq)`;
}

function selectEnded({ schema }: Tx, source = 'history'): string {
  return `SELECT ${COLUMNS}, 2::smallint AS turn, finished_at, result, NULL AS worker_id, NULL::bigint AS expires_at
    FROM ${schema}.${source} AS ended`;
}

export async function get(tx: Tx, ids: readonly string[]): Promise<(Job | null)[]> {
  const known = ids.filter(isUuid);
  const found = new Map<string, Job>();
  const add = (rows: readonly SeenRow[]): void => {
    for (const row of rows) found.set(row.id, toJob(row));
  };
  if (known.length > 0) add(await byIds(tx, known, earliestEnd(known)));
  const missing = known.filter((id) => !found.has(id));
  if (missing.length > 0) add(await byIds(tx, missing, 0));
  return ids.map((id) => found.get(id) ?? null);
}

/** Only partitions of history that end after `since` are looked at. */
function byIds(tx: Tx, ids: readonly string[], since: number): Promise<SeenRow[]> {
  return tx.query(
    `${selectLive(tx)} WHERE job.id = ANY ($1::uuid[])
     UNION ALL ${selectEnded(tx)} WHERE id = ANY ($1::uuid[]) AND finished_at >= $2`,
    [ids, since],
  );
}

const DAY_MS = 86_400_000;

/**
 * No job ended before it was made, which the ids of the client say (UUID version 7: milliseconds first). A guess, as
 * clocks differ and ids may be anything: what is not found there is looked for everywhere.
 */
export function earliestEnd(ids: readonly string[]): number {
  const times = ids.map((id) => (id[14] === '7' ? Number.parseInt(id.replace('-', '').slice(0, 12), 16) : 0));
  return Math.max(0, Math.min(...times) - DAY_MS);
}

export async function list(tx: Tx, filter: JobFilter): Promise<JobPage> {
  const { limit, cursor } = filter;
  if (cursor !== undefined && !/^\d{1,15}$/.test(cursor))
    throw optionInvalid('cursor', cursor, 'the cursor of an earlier page');
  const states = filter.states ?? JOB_STATES;
  const rows = await (termsWanted(filter).length === 0 ? seen : seenByTerms)(tx, filter, states);
  const jobs = rows.slice(0, limit).map(toJob);
  const last = jobs.at(-1);
  return { jobs, cursor: rows.length > limit && last !== undefined ? String(last.seq) : null };
}

/** migrations/0023-look.sql finds the page of each table. */
function seen(tx: Tx, filter: JobFilter, states: readonly JobState[]): Promise<SeenRow[]> {
  const { queue = null, task = null, limit, cursor } = filter;
  const { schema } = tx;
  const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor);
  const live = states.filter((state) => !isTerminal(state));
  return tx.query(
    `SELECT * FROM (
       (${selectLive(tx)} WHERE cardinality($1::text[]) > 0
          AND job.seq = ANY (ARRAY(SELECT ${schema}.list_live($1, $3, $4, $5, $6))))
       UNION ALL
       (${selectEnded(tx, `list_ended($2, $3, $4, $5, $6)`)} WHERE cardinality($2::text[]) > 0)
     ) AS seen ORDER BY seq DESC LIMIT $6`,
    [live, states.filter(isTerminal), queue, task, before, limit + 1],
  );
}

/** As `seen`, by correlation id or tag: migrations/0031-terms.sql looks them up in their index. */
function seenByTerms(tx: Tx, filter: JobFilter, states: readonly JobState[]): Promise<SeenRow[]> {
  const { queue = null, task = null, limit, cursor, correlationId, tag } = filter;
  const root = correlationId !== undefined && isUuid(correlationId) ? correlationId : null;
  const given = '($1, $2, $3::uuid)';
  return tx.query(
    `SELECT * FROM (
       (${selectLive(tx)} WHERE job.seq = ANY (ARRAY(SELECT ${tx.schema}.find_live${given})))
       UNION ALL
       (${selectEnded(tx, `find_ended${given}`)})
     ) AS seen
     WHERE state::text = ANY ($4::text[]) AND ($5::text IS NULL OR queue = $5) AND ($6::text IS NULL OR task = $6)
       AND seq < $7
     ORDER BY seq DESC LIMIT $8`,
    [
      termsWanted(filter),
      tag === undefined ? null : `t:${tag}`,
      root,
      states,
      queue,
      task,
      cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor),
      limit + 1,
    ],
  );
}

function toJob(row: SeenRow): Job {
  return {
    id: row.id,
    seq: row.seq,
    queue: row.queue,
    task: row.task,
    state: row.state,
    priority: row.priority,
    input: row.input,
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
    held: row.turn === HELD,
    progress: row.progress,
    meta: row.meta,
    cancelRequested: row.cancel_requested,
    workerId: row.worker_id,
    leaseExpiresAt: row.expires_at,
  };
}

/** As in turns.ts. */
const HELD = 1;

/** `nth` counts a job's entries of a kind, those left out included. */
type Entry = readonly [kind: 'error' | 'log' | 'audit', entry: unknown, nth?: number];

export async function trail(tx: Tx, id: string): Promise<JobTrail | null> {
  if (!isUuid(id)) return null;
  const entries = (await trailSince(tx, id, earliestEnd([id]))) ?? (await trailSince(tx, id, 0));
  if (entries === null) return null;
  const [errors, logs, audit] = (['error', 'log', 'audit'] as const).map((kind) =>
    entries.filter((entry) => entry[0] === kind),
  ) as [Entry[], Entry[], Entry[]];
  return {
    errors: errors.map(([, entry]) => entry as AttemptError),
    errorsOmitted: omitted(errors),
    logs: logs.map(([, entry]) => entry as LogLine),
    logsOmitted: omitted(logs),
    audit: audit.map(([, entry]) => entry as AuditEntry),
  };
}

function omitted(entries: readonly Entry[]): number {
  return (entries.at(-1)?.[2] ?? 0) - entries.length;
}

/** Null when there is no such job among the living and those that ended after `since`. */
async function trailSince(tx: Tx, id: string, since: number): Promise<readonly Entry[] | null> {
  const [row] = await tx.query<{ trail: string | null }>(
    `SELECT ${tx.schema}.trail_of(job.seq) AS trail
     FROM ${tx.schema}.job WHERE id = $1::uuid
     UNION ALL
     SELECT trail FROM ${tx.schema}.history WHERE id = $1::uuid AND finished_at >= $2`,
    [id, since],
  );
  if (row === undefined) return null;
  return row.trail === null ? [] : (JSON.parse(row.trail) as Entry[]);
}
