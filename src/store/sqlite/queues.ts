import { JOB_STATES, type JobState } from '../../core/job-state.ts';
import { changeLimits, LIMITS_NONE, type QueueLimits } from '../../core/limits.ts';
import {
  OLDEST_AMONG,
  type QueueChange,
  type QueueRecord,
  type QueueSettings,
  RETENTION_DEFAULT,
} from '../store.ts';
import { type AgeingState, changeAgeing, parseAgeing, toAgeing } from './ageing.ts';
import { HELD_COUNTS } from './leases.ts';
import { forgetStarts } from './rates.ts';
import { dropsAny, parseRetention } from './retention.ts';
import type { Tx } from './rows.ts';
import { parseLimits, rearrange, TURN } from './turns.ts';

interface QueueRow {
  readonly name: string;
  readonly paused_at: number | null;
  readonly retention: string;
  readonly limits: string | null;
  readonly ageing: string | null;
}

const SELECT_QUEUE = 'SELECT name, paused_at, retention, limits, ageing FROM queue';

export function configureQueue(
  tx: Tx,
  { queue: name, change }: { readonly queue: string; readonly change: QueueChange },
): QueueSettings {
  const row = tx.db.get<QueueRow>(`${SELECT_QUEUE} WHERE name = ?`, name);
  const before = row === undefined ? defaults(name) : toSettings(tx, row);
  const isDamaged = row !== undefined && parseLimits(row.limits) === null;
  const retention = { ...before.retention, ...change.retention };
  const pausedAt =
    change.paused === undefined ? before.pausedAt : change.paused ? (before.pausedAt ?? tx.now) : null;
  const limits = change.limits === undefined ? before.limits : changeLimits(before.limits, change.limits);
  const ageing: AgeingState | null = changeAgeing(parseAgeing(row?.ageing ?? null), change.ageing, tx.now);
  tx.db.run(
    `INSERT INTO queue (name, paused_at, retention, drops, limits, limited, ageing) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (name) DO UPDATE
     SET paused_at = excluded.paused_at, retention = excluded.retention, drops = excluded.drops,
       limits = excluded.limits, limited = excluded.limited, ageing = excluded.ageing`,
    name,
    pausedAt,
    JSON.stringify(retention),
    dropsAny(retention) ? 1 : 0,
    limitsText(limits),
    limits.concurrency === null ? 0 : 1,
    ageing === null ? null : JSON.stringify(ageing),
  );
  if (change.limits !== undefined || isDamaged) {
    rearrange(tx, name, limits);
    forgetStarts(tx, name, limits);
    tx.topics.add('ready');
  }
  if (change.paused !== undefined) tx.topics.add('control');
  if (change.paused === false) tx.topics.add('ready');
  return { name, pausedAt, retention, limits, ageing: toAgeing(ageing) };
}

/** Counting walks the partial indexes: about 30 ms for a million jobs. */
export function queues(tx: Tx): QueueRecord[] {
  const settings = tx.db.all<QueueRow>(SELECT_QUEUE).map((row) => toSettings(tx, row));
  const records = new Map(settings.map((queue) => [queue.name, { ...queue, ...noJobs() }]));
  for (const { queue, state, jobs } of countJobs(tx)) {
    const record = records.get(queue) ?? { ...defaults(queue), ...noJobs() };
    records.set(queue, record);
    record.counts[state] += jobs;
  }
  for (const record of records.values())
    if (record.counts.ready > 0) record.oldestReadyMs = oldestReadyMs(tx, record.name);
  return [...records.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

interface Count {
  readonly queue: string;
  readonly state: JobState;
  readonly jobs: number;
}

const WAITING = {
  ready: `state = 'ready' AND turn = ${TURN.line}`,
  letIn: `turn = ${TURN.letIn}`,
  held: `key IS NOT NULL AND turn = ${TURN.held} AND turn < 2`,
  scheduled: `state = 'scheduled'`,
};

function countJobs(tx: Tx): Count[] {
  const waiting = Object.entries(WAITING).flatMap(([state, where]) =>
    tx.db
      .all<Omit<Count, 'state'>>(`SELECT queue, count(*) AS jobs FROM job WHERE ${where} GROUP BY queue`)
      .map((count) => ({
        ...count,
        state: state === 'scheduled' ? ('scheduled' as const) : ('ready' as const),
      })),
  );
  const running = tx.db
    .all<Omit<Count, 'state'>>(HELD_COUNTS)
    .map((count) => ({ ...count, state: 'running' as const }));
  const finished = tx.db.all<Count>(
    `SELECT queue, state, count(*) AS jobs FROM job INDEXED BY job_finished
     WHERE finished_at IS NOT NULL GROUP BY state, queue`,
  );
  return [...waiting, ...running, ...finished];
}

/** The first jobs of both lines. */
function oldestReadyMs(tx: Tx, queue: string): number | null {
  const row = tx.db.get<{ readonly due_at: number | null }>(
    `SELECT min(due_at) AS due_at FROM (
       SELECT due_at FROM (SELECT due_at FROM job WHERE queue = ? AND state = 'ready' AND turn = ${TURN.line}
         ORDER BY priority, seq LIMIT ${OLDEST_AMONG})
       UNION ALL
       SELECT due_at FROM (SELECT due_at FROM job WHERE queue = ? AND turn = ${TURN.letIn}
         ORDER BY priority, ticket LIMIT ${OLDEST_AMONG}))`,
    queue,
    queue,
  );
  return row?.due_at == null ? null : Math.max(0, tx.now - row.due_at);
}

function noJobs(): { counts: Record<JobState, number>; oldestReadyMs: number | null } {
  const counts = Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Record<JobState, number>;
  return { counts, oldestReadyMs: null };
}

function defaults(name: string): QueueSettings {
  return { name, pausedAt: null, retention: RETENTION_DEFAULT, limits: LIMITS_NONE, ageing: null };
}

/** A queue whose limits are damaged counts as paused, since now; it is to be resumed when they are set again. */
function toSettings(tx: Tx, row: QueueRow): QueueSettings {
  const limits = parseLimits(row.limits);
  return {
    name: row.name,
    pausedAt: row.paused_at ?? (limits === null ? tx.now : null),
    retention: parseRetention(row.retention) ?? RETENTION_DEFAULT,
    limits: limits ?? LIMITS_NONE,
    ageing: toAgeing(parseAgeing(row.ageing)),
  };
}

/** Null where nothing is limited: claims look no further. */
function limitsText(limits: QueueLimits): string | null {
  const text = JSON.stringify(limits);
  return text === JSON.stringify(LIMITS_NONE) ? null : text;
}
