import type { ClaimReceipt, ClaimRequest, Lease } from '../store.ts';
import { WHOLE_INPUT } from './inputs.ts';
import { closeBatch, openBatch } from './leases.ts';
import type { Tx } from './rows.ts';
import { NEEDS_WRITE } from './verb.ts';

/**
 * Jobs out: promotes what is due, then leases the first jobs of each queue that is not paused. An idle worker asks
 * often, so `peekClaim` answers from a read alone whenever there is nothing to do.
 */

export const FIRST_READY = `SELECT 1 AS found FROM job WHERE state = 'ready' AND queue = ? LIMIT 1`;

export const NEXT_DUE = `SELECT min(due_at) AS due_at FROM job WHERE state = 'scheduled' AND queue = ?`;

export const PROMOTE = `
  UPDATE job SET state = 'ready' WHERE seq IN (
    SELECT seq FROM job WHERE state = 'scheduled' AND queue = ? AND due_at <= ? ORDER BY due_at LIMIT ?)`;

export const LEASE = `
  UPDATE job SET state = 'running', lease = ?, attempt = attempt + 1, started_at = ? WHERE seq IN (
    SELECT seq FROM job WHERE state = 'ready' AND queue = ? ORDER BY priority, seq LIMIT ?)
  RETURNING seq, id, queue, task, ${WHOLE_INPUT}, attempt, attempts_max, crashes, priority, created_at, due_at`;

/** One claim promotes at most this many jobs a queue, to bound its time; the next claim goes on. */
const PROMOTE_MAX = 10_000;

/** The columns `LEASE` returns. */
type LeasedRow = readonly [
  seq: number,
  id: string,
  queue: string,
  task: string,
  input: string | null,
  attempt: number,
  attemptsMax: number,
  crashes: number,
  priority: number,
  createdAt: number,
  dueAt: number,
];

export function peekClaim(tx: Tx, request: ClaimRequest): ClaimReceipt | typeof NEEDS_WRITE {
  const queues = openQueues(tx, request.queues);
  const nextDueAt = earliestDue(tx, queues);
  if (nextDueAt !== null && nextDueAt <= tx.now) return NEEDS_WRITE;
  if (request.limit > 0 && queues.some((queue) => tx.db.get(FIRST_READY, queue) !== undefined))
    return NEEDS_WRITE;
  return { leases: [], nextDueAt };
}

export function claim(tx: Tx, request: ClaimRequest): ClaimReceipt {
  const queues = openQueues(tx, request.queues);
  for (const queue of queues) promote(tx, queue);
  const leases = lease(tx, request, queues);
  return { leases, nextDueAt: earliestDue(tx, queues) };
}

/** Those that are not paused; none while `*`, which stands for all of them, is. */
function openQueues(tx: Tx, queues: readonly string[]): string[] {
  return isPaused(tx, '*') ? [] : queues.filter((queue) => !isPaused(tx, queue));
}

function isPaused(tx: Tx, queue: string): boolean {
  return tx.db.get('SELECT 1 FROM queue WHERE name = ? AND paused_at IS NOT NULL', queue) !== undefined;
}

function earliestDue(tx: Tx, queues: readonly string[]): number | null {
  let earliest: number | null = null;
  for (const queue of queues) {
    const dueAt = nextDue(tx, queue);
    if (dueAt !== null) earliest = Math.min(dueAt, earliest ?? dueAt);
  }
  return earliest;
}

function nextDue(tx: Tx, queue: string): number | null {
  return tx.db.get<{ due_at: number | null }>(NEXT_DUE, queue)?.due_at ?? null;
}

function promote(tx: Tx, queue: string): void {
  const dueAt = nextDue(tx, queue);
  if (dueAt !== null && dueAt <= tx.now) tx.db.run(PROMOTE, queue, tx.now, PROMOTE_MAX);
}

function lease(tx: Tx, request: ClaimRequest, queues: readonly string[]): Lease[] {
  const leases: Lease[] = [];
  const seqs: number[] = [];
  let batch: number | null = null;
  for (const queue of queues) {
    const limit = request.limit - leases.length;
    if (limit <= 0) break;
    if (tx.db.get(FIRST_READY, queue) === undefined) continue;
    batch ??= openBatch(tx, request);
    // RETURNING promises no order.
    const rows = tx.db.tuples<LeasedRow>(LEASE, batch, tx.now, queue, limit);
    rows.sort((one, other) => one[PRIORITY] - other[PRIORITY] || one[SEQ] - other[SEQ]);
    for (const row of rows) {
      seqs.push(row[SEQ]);
      leases.push(toLease(row, batch, tx.now));
    }
  }
  if (batch !== null) closeBatch(tx, batch, seqs);
  return leases;
}

const SEQ = 0;
const PRIORITY = 8;

function toLease(row: LeasedRow, batch: number, claimedAt: number): Lease {
  const [seq, id, queue, task, input, attempt, attemptsMax, crashes, priority, createdAt, dueAt] = row;
  const token = `${batch}.${seq}`;
  return {
    id,
    token,
    claimedAt,
    queue,
    task,
    input,
    attempt,
    attemptsMax,
    crashes,
    priority,
    createdAt,
    dueAt,
  };
}
