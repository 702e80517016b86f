import { expire } from '../../core/settle-rule.ts';
import {
  type DisownRequest,
  type GivenBack,
  type PruneReceipt,
  type PruneRequest,
  RETENTION_DEFAULT,
  type ReapReceipt,
  type ReapRequest,
  WORKER_KEPT_MS,
} from '../store.ts';
import { departAll } from './confirm.ts';
import { release } from './release.ts';
import { isUuid, type JobRow, type Tx } from './rows.ts';
import { applyChanges, subjectOf } from './settle.ts';

/** What is done for the store by whoever leads, and what takes jobs from workers that left or from queues. */

/** What is written of running jobs is so for those of these leases afterwards (migrations/0002-turns.sql). */
export async function groundHeld(tx: Tx, of: string, value: unknown, waits: boolean): Promise<void> {
  await tx.query(
    `SELECT ${tx.schema}.ground(array_agg(member.seq), array_agg(DISTINCT lease.token), $2)
     FROM ${tx.schema}.lease CROSS JOIN LATERAL ${tx.schema}.range_seqs(lease.firsts, lease.lasts) AS member (seq)
     WHERE lease.fresh_at IS NOT NULL AND lease.${of}`,
    [value, waits],
  );
}

/** To be followed by WHERE. */
function selectHeld({ schema }: Tx): string {
  return `SELECT job.* FROM ${schema}.lease
      CROSS JOIN LATERAL ${schema}.range_seqs(lease.firsts, lease.lasts) AS member (seq)
    JOIN ${schema}.job ON job.seq = member.seq AND job.lease = lease.token`;
}

/**
 * What somebody holds at this moment is left for the next time: a job that is being settled, a lease that is being
 * renewed, and whatever another reaper has.
 */
export async function reap(tx: Tx, { crashesMax }: ReapRequest): Promise<ReapReceipt> {
  await groundHeld(tx, 'expires_at <= $1', tx.now, false);
  const jobs = await tx.query<JobRow>(
    `${selectHeld(tx)} WHERE lease.expires_at <= $1 ORDER BY job.seq FOR UPDATE OF job, lease SKIP LOCKED`,
    [tx.now],
  );
  const changes = jobs.map((job) => {
    const change = expire(subjectOf(job), tx.now, crashesMax);
    return { job, move: 'expire', change } as const;
  });
  await applyChanges(tx, changes);
  await departAll(tx);
  return {
    reaped: changes.map(({ job: { id, queue, task }, change: { state, attempt, crashes, error } }) => ({
      id,
      queue,
      task,
      state,
      attempt,
      crashes,
      error,
    })),
  };
}

/** A worker that leaves gives back what it holds, by the settle rule for `released`. */
export async function retire(tx: Tx, workerId: string): Promise<GivenBack[]> {
  await groundHeld(tx, 'worker_id = $1', workerId, true);
  const jobs = await tx.query<JobRow>(
    `${selectHeld(tx)} WHERE lease.worker_id = $1 ORDER BY job.seq FOR UPDATE OF job`,
    [workerId],
  );
  const released = await release(tx, jobs);
  await tx.query(`DELETE FROM ${tx.schema}.worker WHERE id = $1`, [workerId]);
  return released;
}

export async function disown(tx: Tx, { workerId, jobs: ids, before }: DisownRequest): Promise<GivenBack[]> {
  await groundHeld(tx, 'worker_id = $1', workerId, true);
  const jobs = await tx.query<JobRow>(
    `${selectHeld(tx)} WHERE lease.worker_id = $1 AND job.id = ANY ($2) AND job.started_at < $3
     ORDER BY job.seq FOR UPDATE OF job`,
    [workerId, ids.filter(isUuid), before],
  );
  return release(tx, jobs);
}

const PRUNE_LIMIT_DEFAULT = 10_000;

/** Jobs that go with their whole partition are not limited: dropping it takes as long for many as for few. */
export async function prune(tx: Tx, { limit = PRUNE_LIMIT_DEFAULT }: PruneRequest): Promise<PruneReceipt> {
  const [receipt] = await tx.query<PruneReceipt>(`SELECT * FROM ${tx.schema}.prune($1, $2, $3, $4)`, [
    tx.now,
    limit,
    WORKER_KEPT_MS,
    JSON.stringify(RETENTION_DEFAULT),
  ]);
  return receipt ?? { jobs: 0, workers: 0, more: false };
}
