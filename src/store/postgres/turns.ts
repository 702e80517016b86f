import { keyWindow, type QueueLimits } from '../../core/limits.ts';
import type { Tx } from './rows.ts';

/**
 * Whose turn it is among the jobs of a key: the column `turn` of the table `job`. A job without a key is always in the
 * line. Who is in the line is counted in the index `job_key` whenever it matters; no counter is kept beside the rows.
 * Turns change in the database (migrations/0002-turns.sql), under locks of their keys.
 */
export const TURN = {
  /** Ready and in the line with a ticket: it was held before. */
  letIn: -2,
  /** In the line, but put off until its key's rate has room. */
  later: -1,
  line: 0,
  /** Ready, and waits for one of its key to leave the line. */
  held: 1,
  /** Scheduled. */
  none: 2,
  /** Without a key, and not changed since it was added: waits in `fresh`, or runs for the first time. */
  fresh: 3,
} as const;

/** Lets the line of every key be as long as the new limits say, which the queue's row has already. */
export async function rearrange(tx: Tx, queue: string, limits: QueueLimits): Promise<void> {
  await tx.query(`SELECT ${tx.schema}.rearrange($1, $2, $3, $4)`, [
    queue,
    keyWindow(limits),
    limits.perKey.ordered,
    tx.now,
  ]);
}
