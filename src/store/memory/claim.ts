import { type Rate, rateRoom, rateTake } from '../../core/limits.ts';
import type { ClaimReceipt, ClaimRequest, Lease } from '../store.ts';
import type { JobRow, QueueRow } from './records.ts';
import type { Rows } from './rows.ts';

/** Whose pause holds everywhere. */
const ALL_QUEUES = '*';

/** In the order given. */
export function pausedAmong(rows: Rows, queues: readonly string[]): readonly string[] {
  if (isPaused(rows.queues.get(ALL_QUEUES))) return [...queues];
  return queues.filter((name) => isPaused(rows.queues.get(name)));
}

/** Jobs out: promotes what is due, then leases the first jobs of each queue that is not paused. */
export function claim(rows: Rows, request: ClaimRequest, now: number): ClaimReceipt {
  const leases: Lease[] = [];
  let nextDueAt: number | null = null;
  if (isPaused(rows.queues.get(ALL_QUEUES))) return { now, leases, nextDueAt };
  for (const name of request.queues) {
    const queue = rows.queues.get(name);
    if (queue === undefined || isPaused(queue)) continue;
    promote(rows, queue, now);
    leases.push(...take(rows, queue, { ...request, limit: request.limit - leases.length }, now));
    for (const at of [queue.scheduled.head?.dueAt, roomAgainAt(queue, now)])
      if (at !== undefined) nextDueAt = Math.min(at, nextDueAt ?? at);
  }
  return { now, leases, nextDueAt };
}

function isPaused(queue: QueueRow | undefined): boolean {
  return queue !== undefined && queue.pausedAt !== null;
}

function promote(rows: Rows, queue: QueueRow, now: number): void {
  for (let job = queue.scheduled.head; job !== undefined && job.dueAt <= now; job = queue.scheduled.head)
    rows.move(job, 'promote', 'ready', () => {});
}

/** The first jobs of the line, as many as the limits of the queue have room for. */
function take(rows: Rows, queue: QueueRow, request: ClaimRequest, now: number): Lease[] {
  const { concurrency, rate, perKey } = queue.limits;
  const byRate = rate === null ? request.limit : rateRoom(queue.starts, rate, now).room;
  const byConcurrency = concurrency === null ? request.limit : concurrency - queue.counts.running;
  const room = Math.min(request.limit, byRate, byConcurrency);
  const leases: Lease[] = [];
  while (leases.length < room) {
    const job = queue.ready.head;
    if (job === undefined) break;
    if (perKey.rate === null || hasKeyRoom(rows, queue, job, perKey.rate, now))
      leases.push(lease(rows, job, request, now));
  }
  if (rate !== null && leases.length > 0) queue.starts = rateTake(queue.starts, rate, now, leases.length);
  return leases;
}

/** Counts the start of a job against its key's rate, or puts the job off. */
function hasKeyRoom(rows: Rows, queue: QueueRow, job: JobRow, rate: Rate, now: number): boolean {
  if (job.key === null) return true;
  const log = queue.keyStarts.get(job.key) ?? [];
  const { room, nextAt } = rateRoom(log, rate, now);
  if (room > 0) queue.keyStarts.set(job.key, rateTake(log, rate, now, 1));
  else rows.putOff(job, nextAt);
  return room > 0;
}

/** When ready jobs wait for the queue's rate: the time it has room again. */
function roomAgainAt({ limits: { rate }, ready, starts }: QueueRow, now: number): number | undefined {
  if (rate === null || ready.head === undefined) return undefined;
  const { room, nextAt } = rateRoom(starts, rate, now);
  return room > 0 ? undefined : nextAt;
}

function lease(rows: Rows, job: JobRow, request: ClaimRequest, now: number): Lease {
  rows.lastToken += 1;
  const token = String(rows.lastToken);
  rows.move(job, 'claim', 'running', () => {
    job.token = token;
    job.attempt += 1;
    job.startedAt = now;
    job.workerId = request.workerId;
    job.leaseExpiresAt = now + request.leaseMs;
  });
  return {
    id: job.id,
    token,
    claimedAt: now,
    queue: job.queue,
    task: job.task,
    key: job.key,
    input: job.input,
    meta: job.meta,
    attempt: job.attempt,
    attemptsMax: job.attemptsMax,
    crashes: job.crashes,
    priority: job.priority,
    createdAt: job.createdAt,
    dueAt: job.dueAt,
  };
}
