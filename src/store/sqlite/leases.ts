import type { ClaimRequest } from '../store.ts';
import { type JobRow, type Tx, wholeMs } from './rows.ts';

/**
 * Leases, one row of the table `lease` a claimed batch. A job's token is `<batch>.<seq>`: the batch's number fences
 * (it never repeats), the seq finds the row. A job is held by a batch while its column `lease` has the batch's number.
 */

export interface Token {
  readonly batch: number;
  readonly seq: number;
}

/** Null for what no claim ever gave. */
export function parseToken(token: string): Token | null {
  const dot = token.indexOf('.');
  const batch = Number(token.slice(0, dot));
  const seq = Number(token.slice(dot + 1));
  return token === `${batch}.${seq}` ? { batch, seq } : null;
}

export interface NewBatch {
  readonly queue: string;
  readonly jobs: number;
  /** The JSON array of them. */
  readonly seqs: string;
}

/** Returns its number. */
export function addBatch(
  tx: Tx,
  { workerId, leaseMs }: ClaimRequest,
  { queue, jobs, seqs }: NewBatch,
): number {
  return tx.db.insert(
    'INSERT INTO lease (worker_id, queue, expires_at, live, seqs) VALUES (?, ?, ?, ?, ?)',
    workerId,
    queue,
    wholeMs(tx.now + leaseMs),
    jobs,
    seqs,
  );
}

/** Counts jobs that left their batches, and drops the batches that are empty then. */
export class Departures {
  readonly #left = new Map<number, number>();

  add(batch: number, jobs = 1): void {
    this.#left.set(batch, (this.#left.get(batch) ?? 0) + jobs);
  }

  write(tx: Tx): void {
    this.#hintRoom(tx);
    for (const [batch, jobs] of this.#left) {
      if (tx.db.run('DELETE FROM lease WHERE token = ? AND live <= ?', batch, jobs) === 0)
        tx.db.run('UPDATE lease SET live = live - ? WHERE token = ?', jobs, batch);
    }
  }

  /** Where a limit made others wait, they may have room now. */
  #hintRoom(tx: Tx): void {
    if (tx.db.get('SELECT 1 FROM queue WHERE limited = 1 LIMIT 1') === undefined) return;
    for (const batch of this.#left.keys())
      if (tx.db.get(OF_LIMITED_QUEUE, batch) !== undefined) tx.topics.add('ready');
  }
}

const OF_LIMITED_QUEUE = `
  SELECT 1 FROM lease JOIN queue ON queue.name = lease.queue WHERE lease.token = ? AND queue.limited = 1`;

/** How many jobs of a queue run now, over all workers. */
export function runningIn(tx: Tx, queue: string): number {
  return (
    tx.db.get<{ jobs: number }>('SELECT coalesce(sum(live), 0) AS jobs FROM lease WHERE queue = ?', queue)
      ?.jobs ?? 0
  );
}

/**
 * To be followed by a condition on `lease`, such as WHERE; CROSS JOIN keeps this order of the loops. A damaged list would fail
 * the statement for all leases.
 */
const FROM_HELD = `
  FROM lease CROSS JOIN json_each(iif(json_valid(lease.seqs), lease.seqs, '[]')) AS member CROSS JOIN job
    ON job.seq = member.value AND job.lease = lease.token`;

export const HELD_SEQS = `SELECT job.seq ${FROM_HELD}`;

export const HELD_COUNTS = `SELECT job.queue AS queue, count(*) AS jobs ${FROM_HELD} GROUP BY job.queue`;

export function heldByWorker(tx: Tx, workerId: string): JobRow[] {
  return tx.db.all<JobRow>(`SELECT job.* ${FROM_HELD} WHERE lease.worker_id = ? ORDER BY job.seq`, workerId);
}

export function heldBeyond(tx: Tx, now: number): JobRow[] {
  return tx.db.all<JobRow>(`SELECT job.* ${FROM_HELD} WHERE lease.expires_at <= ? ORDER BY job.seq`, now);
}

/** Of the jobs a worker holds, only what its heartbeat must tell it. */
export function heldBriefly(tx: Tx, workerId: string): Pick<JobRow, 'id' | 'cancel_requested'>[] {
  return tx.db.all(
    `SELECT job.id, job.cancel_requested ${FROM_HELD} WHERE lease.worker_id = ? ORDER BY job.seq`,
    workerId,
  );
}

/** Lists the jobs of damaged leases anew. Costs a look at all jobs for each of them; there are none. */
export function mendLeases(tx: Tx): void {
  relist(tx, `WHERE NOT json_valid(seqs) OR json_type(seqs) <> 'array'`);
}

/** After all jobs of leases that ended were taken back: what is left lists others than it has. It goes, or is listed anew. */
export function dropEmpty(tx: Tx): void {
  const ended = 'WHERE expires_at <= ?';
  if (tx.db.get(`SELECT 1 FROM lease ${ended} LIMIT 1`, tx.now) === undefined) return;
  relist(tx, ended, tx.now);
  tx.db.run(`DELETE FROM lease ${ended} AND live = 0`, tx.now);
}

function relist(tx: Tx, where: string, ...values: number[]): void {
  tx.db.run(
    `UPDATE lease SET
       seqs = (SELECT json_group_array(seq) FROM job WHERE job.lease = lease.token),
       live = (SELECT count(*) FROM job WHERE job.lease = lease.token)
     ${where}`,
    ...values,
  );
}
