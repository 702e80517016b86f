import { JOB_STATES, type JobState, TERMINAL_STATES } from '../../core/job-state.ts';
import { changeLimits, LIMITS_NONE, type QueueLimits } from '../../core/limits.ts';
import {
  type Keep,
  OLDEST_AMONG,
  type QueueChange,
  type QueueRecord,
  type QueueSettings,
  RETENTION_DEFAULT,
  type Retention,
} from '../store.ts';
import { type AgeingState, changeAgeing, toAgeing } from './ageing.ts';
import { forgetStarts } from './rates.ts';
import type { Tx } from './rows.ts';
import { rearrange } from './turns.ts';

interface QueueRow {
  readonly name: string;
  readonly paused_at: number | null;
  readonly retention: Retention;
  readonly limits: QueueLimits | null;
  readonly ageing: AgeingState | null;
}

/** A queue that nobody configured gets a row first, so that two who change it at once both count. */
export async function configureQueue(
  tx: Tx,
  { queue: name, change }: { readonly queue: string; readonly change: QueueChange },
): Promise<QueueSettings> {
  await tx.query(
    `INSERT INTO ${tx.schema}.queue (name, retention) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`,
    [name, JSON.stringify(RETENTION_DEFAULT)],
  );
  const [row] = await tx.query<QueueRow>(
    `SELECT name, paused_at, retention, limits, ageing FROM ${tx.schema}.queue WHERE name = $1 FOR UPDATE`,
    [name],
  );
  const before = row === undefined ? defaults(name) : toSettings(row);
  const retention = { ...before.retention, ...change.retention };
  const pausedAt =
    change.paused === undefined ? before.pausedAt : change.paused ? (before.pausedAt ?? tx.now) : null;
  const limits = change.limits === undefined ? before.limits : changeLimits(before.limits, change.limits);
  const ageing = changeAgeing(row?.ageing ?? null, change.ageing, tx.now);
  await tx.query(
    `UPDATE ${tx.schema}.queue SET paused_at = $2, retention = $3, drops = $4, limits = $5, limited = $6, ageing = $7
     WHERE name = $1`,
    [
      name,
      pausedAt,
      JSON.stringify(retention),
      TERMINAL_STATES.some((state) => keepsNothing(retention[state])),
      limitsText(limits),
      limits.concurrency !== null,
      ageing === null ? null : JSON.stringify(ageing),
    ],
  );
  if (change.limits !== undefined) {
    await rearrange(tx, name, limits);
    await forgetStarts(tx, name, limits);
    tx.topics.add('ready');
  }
  if (change.paused !== undefined) tx.topics.add('control');
  if (change.paused === false) tx.topics.add('ready');
  return { name, pausedAt, retention, limits, ageing: toAgeing(ageing) };
}

/** Counting reads the indexes of history: about 100 ms for a million jobs. */
export async function queues(tx: Tx): Promise<QueueRecord[]> {
  const settings = await tx.query<QueueRow>(
    `SELECT name, paused_at, retention, limits, ageing FROM ${tx.schema}.queue`,
  );
  const records = new Map(settings.map((row) => [row.name, { ...toSettings(row), ...noJobs() }]));
  for (const { queue, state, jobs } of await countJobs(tx)) {
    const record = records.get(queue) ?? { ...defaults(queue), ...noJobs() };
    records.set(queue, record);
    record.counts[state] += jobs;
  }
  const waiting = [...records.values()].filter(({ counts }) => counts.ready > 0);
  for (const { queue, due_at: dueAt } of await oldestReady(tx, waiting)) {
    const record = records.get(queue);
    if (record !== undefined && dueAt !== null) record.oldestReadyMs = Math.max(0, tx.now - dueAt);
  }
  return [...records.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

interface Count {
  readonly queue: string;
  readonly state: JobState;
  readonly jobs: number;
}

/**
 * Each state of history by itself, so that the index on its queues is enough. Fresh jobs run but for those with an entry
 * in `fresh`.
 */
function countJobs(tx: Tx): Promise<Count[]> {
  const ended = TERMINAL_STATES.map(
    (state) => `SELECT queue, '${state}', count(*) FROM ${tx.schema}.history_${state} GROUP BY queue`,
  );
  return tx.query(
    `SELECT queue, CASE WHEN turn = 3 THEN 'running' ELSE state::text END AS state, count(*) AS jobs
       FROM ${tx.schema}.job GROUP BY 1, 2
     UNION ALL
     SELECT fresh.queue, change.state, sum(change.jobs * (fresh.last_seq - fresh.next_seq + 1))::bigint
       FROM ${tx.schema}.fresh, (VALUES ('ready', 1), ('running', -1)) AS change (state, jobs) GROUP BY 1, 2
     UNION ALL ${ended.join(' UNION ALL ')}`,
  );
}

/** The first jobs of each line: those that something changed, those let in with a ticket, and the fresh ones. */
async function oldestReady(
  tx: Tx,
  queues: readonly { readonly name: string }[],
): Promise<{ readonly queue: string; readonly due_at: number | null }[]> {
  if (queues.length === 0) return [];
  const lines = [
    `SELECT due_at FROM ${tx.schema}.job WHERE queue = name AND state = 'ready' AND turn = 0 ORDER BY priority, seq`,
    `SELECT due_at FROM ${tx.schema}.job WHERE queue = name AND state = 'ready' AND turn = -2 ORDER BY priority, ticket`,
    `SELECT job.due_at FROM ${tx.schema}.fresh JOIN ${tx.schema}.job ON job.seq = fresh.next_seq
     WHERE fresh.queue = name ORDER BY fresh.priority, fresh.first_seq`,
  ];
  return tx.query(
    `SELECT name AS queue, (SELECT min(due_at) FROM (${lines
      .map((line) => `(${line} LIMIT ${OLDEST_AMONG})`)
      .join(' UNION ALL ')}) AS first) AS due_at FROM unnest($1::text[]) AS name`,
    [queues.map(({ name }) => name)],
  );
}

function noJobs(): { counts: Record<JobState, number>; oldestReadyMs: number | null } {
  const counts = Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Record<JobState, number>;
  return { counts, oldestReadyMs: null };
}

function defaults(name: string): QueueSettings {
  return { name, pausedAt: null, retention: RETENTION_DEFAULT, limits: LIMITS_NONE, ageing: null };
}

function toSettings({ name, paused_at: pausedAt, retention, limits, ageing }: QueueRow): QueueSettings {
  return { name, pausedAt, retention, limits: limits ?? LIMITS_NONE, ageing: toAgeing(ageing) };
}

function keepsNothing({ ageMs, count }: Keep): boolean {
  return ageMs === 0 || count === 0;
}

/** Null where nothing is limited: claims look no further. */
function limitsText(limits: QueueLimits): string | null {
  const text = JSON.stringify(limits);
  return text === JSON.stringify(LIMITS_NONE) ? null : text;
}
