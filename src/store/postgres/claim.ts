import type { ClaimReceipt, ClaimRequest, Lease } from '../store.ts';
import { wholeMs } from './rows.ts';
import type { HotTx } from './verb.ts';

/**
 * Jobs out: promotes what is due, then leases the first jobs of each queue that is not paused, as far as its limits
 * go. All of it is one statement (migrations/0005-claim.sql), which writes nothing when there is nothing to do.
 */
export async function claim(tx: HotTx, request: ClaimRequest): Promise<ClaimReceipt> {
  const { workerId, queues, limit, leaseMs } = request;
  const rows = await tx.tuples<ClaimedRow>(
    `SELECT lease, seq, id, queue, task, key, input, attempt, attempts_max, crashes, priority, created_at, due_at
     FROM ${tx.schema}.claim_jobs($1, $2, $3, $4, $5, $6)`,
    [workerId, tx.claimId(request), [...queues], Math.min(limit, LIMIT_MAX), wholeMs(leaseMs), tx.given],
  );
  const [, , , , , , , , , , , now, nextDueAt] = rows.pop() as ClaimedRow;
  return { now, leases: rows.map((row) => leaseOf(row, now)), nextDueAt };
}

/** What the database takes. */
const LIMIT_MAX = 2 ** 31 - 1;

type ClaimedRow = readonly [
  lease: number,
  seq: number,
  id: string,
  queue: string,
  task: string,
  key: string | null,
  input: string | null,
  attempt: number,
  attemptsMax: number,
  crashes: number,
  priority: number,
  createdAt: number,
  /** Null in the last row alone. */
  dueAt: number | null,
];

function leaseOf(row: ClaimedRow, claimedAt: number): Lease {
  const [lease, seq, id, queue, task, key, input, attempt, attemptsMax, crashes, priority, createdAt, dueAt] =
    row;
  return {
    id,
    token: `${lease}.${seq}`,
    claimedAt,
    queue,
    task,
    key,
    input,
    attempt,
    attemptsMax,
    crashes,
    priority,
    createdAt,
    dueAt: dueAt ?? createdAt,
  };
}
