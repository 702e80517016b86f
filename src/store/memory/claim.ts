import type { ClaimReceipt, ClaimRequest, Lease } from '../store.ts';
import type { JobRow, QueueRow, Rows } from './rows.ts';

/** Whose pause holds everywhere. */
const ALL_QUEUES = '*';

/** Jobs out: promotes what is due, then leases the first jobs of each queue that is not paused. */
export function claim(rows: Rows, request: ClaimRequest, now: number): ClaimReceipt {
  const leases: Lease[] = [];
  let nextDueAt: number | null = null;
  if (isPaused(rows.queues.get(ALL_QUEUES))) return { leases, nextDueAt };
  for (const name of request.queues) {
    const queue = rows.queues.get(name);
    if (queue === undefined || isPaused(queue)) continue;
    promote(rows, queue, now);
    while (leases.length < request.limit) {
      const job = queue.ready.head;
      if (job === undefined) break;
      leases.push(lease(rows, job, request, now));
    }
    const dueAt = queue.scheduled.head?.dueAt;
    if (dueAt !== undefined) nextDueAt = Math.min(dueAt, nextDueAt ?? dueAt);
  }
  return { leases, nextDueAt };
}

function isPaused(queue: QueueRow | undefined): boolean {
  return queue !== undefined && queue.pausedAt !== null;
}

function promote(rows: Rows, queue: QueueRow, now: number): void {
  for (let job = queue.scheduled.head; job !== undefined && job.dueAt <= now; job = queue.scheduled.head)
    rows.move(job, 'promote', 'ready', () => {});
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
    input: job.input,
    attempt: job.attempt,
    attemptsMax: job.attemptsMax,
    crashes: job.crashes,
    priority: job.priority,
    createdAt: job.createdAt,
    dueAt: job.dueAt,
  };
}
