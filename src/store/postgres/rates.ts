import type { QueueLimits } from '../../core/limits.ts';
import type { Tx } from './rows.ts';

/**
 * The table `start`: how many jobs of a queue, or of one of its keys, started when. Only where there is a rate; rows
 * that left the window go with the next start, and those of keys that are seen no more with `prune`.
 */

/** The queue's own starts; keys have at least one character. */
export const WHOLE_QUEUE = '';

/** What a rate that is lifted leaves behind. */
export async function forgetStarts(tx: Tx, queue: string, { rate, perKey }: QueueLimits): Promise<void> {
  if (rate === null)
    await tx.query(`DELETE FROM ${tx.schema}.start WHERE queue = $1 AND key = $2`, [queue, WHOLE_QUEUE]);
  if (perKey.rate === null)
    await tx.query(`DELETE FROM ${tx.schema}.start WHERE queue = $1 AND key <> $2`, [queue, WHOLE_QUEUE]);
}
