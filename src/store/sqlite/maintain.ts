import { type JobState, TERMINAL_STATES, type TerminalState } from '../../core/job-state.ts';
import { expire } from '../../core/settle-rule.ts';
import {
  type Keep,
  type PruneReceipt,
  type PruneRequest,
  type ReapReceipt,
  type ReapRequest,
  WORKER_KEPT_MS,
} from '../store.ts';
import { EXPIRED_PLANS, prunePlans } from './commit.ts';
import { Departures, dropEmpty, heldBeyond, mendLeases } from './leases.ts';
import { PAST_STARTS } from './rates.ts';
import { deleteJobs, dropsOf, retentionOf } from './retention.ts';
import type { Tx } from './rows.ts';
import { applyChange, subjectOf } from './settle.ts';
import { NEEDS_WRITE } from './verb.ts';

/** What is done for the store by whoever leads. Both verbs find out by reading alone that there is nothing to do. */

export function peekReap(tx: Tx): ReapReceipt | typeof NEEDS_WRITE {
  const expired = tx.db.get('SELECT 1 FROM lease WHERE expires_at <= ? LIMIT 1', tx.now);
  return expired === undefined ? { reaped: [] } : NEEDS_WRITE;
}

export function reap(tx: Tx, { crashesMax }: ReapRequest): ReapReceipt {
  mendLeases(tx);
  const drops = dropsOf(tx);
  const departures = new Departures();
  const reaped = heldBeyond(tx, tx.now).map((job) => {
    const change = expire(subjectOf(job), tx.now, crashesMax);
    applyChange(tx, job, 'expire', change, drops);
    departures.add(job.lease as number);
    const { state, attempt, crashes, error } = change;
    return { id: job.id, queue: job.queue, task: job.task, state, attempt, crashes, error };
  });
  departures.write(tx);
  dropEmpty(tx);
  return { reaped };
}

const PRUNE_LIMIT_DEFAULT = 10_000;

const STALE_WORKERS = `FROM worker WHERE seen_at + lease_ms <= ? - ${WORKER_KEPT_MS}
  AND NOT EXISTS (SELECT 1 FROM lease WHERE worker_id = worker.id)`;
const FREE_KEYS = 'FROM unique_key WHERE ended IS NOT NULL AND until <= ?';

export function peekPrune(tx: Tx): PruneReceipt | typeof NEEDS_WRITE {
  if (tx.db.get(`SELECT 1 ${STALE_WORKERS} LIMIT 1`, tx.now) !== undefined) return NEEDS_WRITE;
  if (tx.db.get(`SELECT 1 ${FREE_KEYS} LIMIT 1`, tx.now) !== undefined) return NEEDS_WRITE;
  if (tx.db.get(`SELECT 1 ${PAST_STARTS} LIMIT 1`, tx.now) !== undefined) return NEEDS_WRITE;
  if (tx.db.get(`SELECT 1 ${EXPIRED_PLANS} LIMIT 1`, tx.now) !== undefined) return NEEDS_WRITE;
  if (finishedLines(tx).some((line) => surplus(tx, line, 1) > 0)) return NEEDS_WRITE;
  return { jobs: 0, workers: 0, more: false };
}

export function prune(tx: Tx, { limit = PRUNE_LIMIT_DEFAULT }: PruneRequest): PruneReceipt {
  tx.db.run(`DELETE ${FREE_KEYS}`, tx.now);
  tx.db.run(`DELETE ${PAST_STARTS}`, tx.now);
  prunePlans(tx);
  const workers = tx.db.run(`DELETE ${STALE_WORKERS}`, tx.now);
  let jobs = 0;
  for (const line of finishedLines(tx)) {
    const room = limit - jobs;
    // One more than may be deleted, to know whether any is left over.
    const doomed = surplus(tx, line, room + 1);
    jobs += deleteOldest(tx, line, Math.min(doomed, room));
    if (doomed > room) return { jobs, workers, more: true };
  }
  return { jobs, workers, more: false };
}

/** The finished jobs of one queue in one state, oldest first in the index. */
interface FinishedLine {
  readonly queue: string;
  readonly state: TerminalState;
  readonly keep: Keep;
}

function finishedLines(tx: Tx): FinishedLine[] {
  return TERMINAL_STATES.flatMap((state) =>
    queuesWith(tx, state).flatMap((queue) => {
      const keep = retentionOf(tx, queue)?.[state];
      return keep === undefined ? [] : [{ queue, state, keep }];
    }),
  );
}

/** A step of the index for each queue, however many jobs it has. */
function queuesWith(tx: Tx, state: TerminalState): string[] {
  const queues: string[] = [];
  for (let after = ''; ; ) {
    const next = tx.db.get<{ queue: string }>(
      `SELECT queue FROM job INDEXED BY job_finished
       WHERE finished_at IS NOT NULL AND state = ? AND queue > ? ORDER BY queue LIMIT 1`,
      state,
      after,
    );
    if (next === undefined) return queues;
    queues.push(next.queue);
    after = next.queue;
  }
}

/** How many of the oldest jobs of a line are beyond what is kept, by count or by age; counts up to `most`. */
function surplus(tx: Tx, { queue, state, keep }: FinishedLine, most: number): number {
  let jobs = 0;
  if (keep.count !== null) jobs = Math.max(0, countFinished(tx, queue, state) - keep.count);
  if (keep.ageMs !== null && jobs < most)
    jobs = Math.max(jobs, countFinishedBy(tx, queue, state, tx.now - keep.ageMs, most));
  return jobs;
}

function countFinished(tx: Tx, queue: string, state: JobState): number {
  return (
    tx.db.get<{ jobs: number }>(
      `SELECT count(*) AS jobs FROM job INDEXED BY job_finished
       WHERE finished_at IS NOT NULL AND state = ? AND queue = ?`,
      state,
      queue,
    )?.jobs ?? 0
  );
}

function countFinishedBy(tx: Tx, queue: string, state: JobState, time: number, most: number): number {
  return (
    tx.db.get<{ jobs: number }>(
      `SELECT count(*) AS jobs FROM (
         SELECT 1 FROM job INDEXED BY job_finished
         WHERE state = ? AND queue = ? AND finished_at <= ? LIMIT +?)`,
      state,
      queue,
      time,
      most,
    )?.jobs ?? 0
  );
}

function deleteOldest(tx: Tx, { queue, state }: FinishedLine, jobs: number): number {
  if (jobs <= 0) return 0;
  const seqs = tx.db.all<{ seq: number }>(
    `SELECT seq FROM job INDEXED BY job_finished
     WHERE finished_at IS NOT NULL AND state = ? AND queue = ? ORDER BY finished_at, seq LIMIT +?`,
    state,
    queue,
    jobs,
  );
  deleteJobs(
    tx,
    seqs.map(({ seq }) => seq),
  );
  return seqs.length;
}
