import { type JobState, TERMINAL_STATES, type TerminalState } from '../../core/job-state.ts';
import { expire } from '../../core/settle-rule.ts';
import type { Topic } from '../notifier.ts';
import {
  type PruneReceipt,
  type PruneRequest,
  RETENTION_DEFAULT,
  type ReapReceipt,
  type ReapRequest,
  WORKER_KEPT_MS,
} from '../store.ts';
import { release } from './release.ts';
import type { JobRow, Tx } from './rows.ts';
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
export async function retire(tx: Tx, workerId: string): Promise<null> {
  await groundHeld(tx, 'worker_id = $1', workerId, true);
  const jobs = await tx.query<JobRow>(
    `${selectHeld(tx)} WHERE lease.worker_id = $1 ORDER BY job.seq FOR UPDATE OF job`,
    [workerId],
  );
  await release(tx, jobs);
  await tx.query(`DELETE FROM ${tx.schema}.worker WHERE id = $1`, [workerId]);
  return null;
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

/** Of finished jobs so many are deleted in one statement, as each has but so much time. */
const CLEAR_AT_ONCE = 20_000;

/** Deletes a queue's jobs with their trails and keys. The outcomes of running ones will be lost. */
export async function clear(
  tx: Tx,
  { queue, states }: { readonly queue: string; readonly states: readonly JobState[] },
): Promise<number> {
  const ended = TERMINAL_STATES.filter((state) => states.includes(state));
  const live = states.filter((state) => !(TERMINAL_STATES as readonly JobState[]).includes(state));
  let jobs = live.length === 0 ? 0 : await clearLive(tx, queue, live);
  for (const state of ended) jobs += await clearEnded(tx, queue, state);
  if (jobs > 0) tx.topics.add('settled');
  return jobs;
}

async function clearLive(tx: Tx, queue: string, states: readonly JobState[]): Promise<number> {
  const [cleared] = await tx.query<{ jobs: number; topics: string }>(
    `SELECT * FROM ${tx.schema}.clear_live($1, $2)`,
    [queue, states],
  );
  if (cleared === undefined || cleared.jobs === 0) return 0;
  for (const topic of cleared.topics.split(',')) tx.topics.add(topic as Topic);
  return cleared.jobs;
}

async function clearEnded(tx: Tx, queue: string, state: TerminalState): Promise<number> {
  for (let jobs = 0; ; ) {
    const [row] = await tx.query<{ cleared: number }>(
      `SELECT ${tx.schema}.clear_ended($1, $2, ${CLEAR_AT_ONCE}) AS cleared`,
      [queue, state],
    );
    const cleared = row?.cleared ?? 0;
    jobs += cleared;
    if (cleared < CLEAR_AT_ONCE) return jobs;
  }
}
