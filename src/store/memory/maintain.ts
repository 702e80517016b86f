import { type JobState, TERMINAL_STATES } from '../../core/job-state.ts';
import { expire } from '../../core/settle-rule.ts';
import {
  type Keep,
  type PruneReceipt,
  type PruneRequest,
  type ReapReceipt,
  type ReapRequest,
  WORKER_KEPT_MS,
} from '../store.ts';
import { isHeld } from './enqueue.ts';
import { bytesOf, type JobRow, type QueueRow } from './records.ts';
import type { Rows } from './rows.ts';
import { applyChange } from './settle.ts';
import { isAlive } from './workers.ts';

const PRUNE_LIMIT_DEFAULT = 10_000;

export function reap(rows: Rows, request: ReapRequest, now: number): ReapReceipt {
  const expired = [...rows.held.values()]
    .flatMap((held) => [...held])
    .filter((job) => (job.leaseExpiresAt ?? 0) <= now)
    .sort((one, other) => one.seq - other.seq);
  const reaped = expired.map((job) => {
    const change = expire(job, now, request.crashesMax);
    applyChange(rows, job, 'expire', change, now);
    const { id, queue, task } = job;
    const { state, attempt, crashes, error } = change;
    return { id, queue, task, state, attempt, crashes, error };
  });
  return { reaped };
}

export function prune(rows: Rows, request: PruneRequest, now: number): PruneReceipt {
  for (const [key, hold] of rows.keys) if (!isHeld(rows, hold, now)) rows.keys.delete(key);
  for (const queue of rows.queues.values()) pruneStarts(queue, now);
  rows.plans.prune(now);
  return { workers: pruneWorkers(rows, now), ...pruneJobs(rows, request.limit ?? PRUNE_LIMIT_DEFAULT, now) };
}

function pruneJobs(rows: Rows, limit: number, now: number): { jobs: number; more: boolean } {
  let jobs = 0;
  for (const queue of rows.queues.values()) {
    for (const state of TERMINAL_STATES) {
      const line = queue.finished[state];
      const keep = queue.retention[state];
      let bytes = keep.bytes == null ? 0 : bytesIn(rows, queue.name, state);
      for (let oldest = line.head; oldest !== undefined; oldest = line.head) {
        if (!isBeyond(oldest, { jobs: line.size, bytes }, keep, now)) break;
        if (jobs === limit) return { jobs, more: true };
        bytes -= bytesOf(oldest);
        rows.remove([oldest]);
        jobs += 1;
      }
    }
  }
  return { jobs, more: false };
}

/** `kept`: what its queue has in its state. */
function isBeyond(
  oldest: JobRow,
  kept: { readonly jobs: number; readonly bytes: number },
  keep: Keep,
  now: number,
): boolean {
  if (keep.count !== null && kept.jobs > keep.count) return true;
  if (keep.bytes != null && kept.bytes > keep.bytes) return true;
  return keep.ageMs !== null && (oldest.finishedAt ?? now) + keep.ageMs <= now;
}

/** Looks at every job, but only where a queue bounds bytes. */
function bytesIn(rows: Rows, queue: string, state: JobState): number {
  const there = rows.bySeq.filter((job) => !job.gone && job.queue === queue && job.state === state);
  return there.reduce((sum, job) => sum + bytesOf(job), 0);
}

/** Starts of keys that left the window. */
function pruneStarts({ limits, keyStarts }: QueueRow, now: number): void {
  const { rate } = limits.perKey;
  for (const [key, log] of keyStarts)
    if (rate === null || log.every(([at]) => at <= now - rate.perMs)) keyStarts.delete(key);
}

function pruneWorkers(rows: Rows, now: number): number {
  let workers = 0;
  for (const [id, worker] of rows.workers) {
    if (isAlive(worker, now - WORKER_KEPT_MS) || rows.held.has(id)) continue;
    rows.workers.delete(id);
    workers += 1;
  }
  return workers;
}
