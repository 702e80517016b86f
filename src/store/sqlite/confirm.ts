import type { Completion, ConfirmReceipt } from '../transactions.ts';
import { jobById, type Tx } from './rows.ts';
import { isLeased } from './settle.ts';

/**
 * What became of completions in transactions of users. Runs with the file's write lock, so that no transaction that wrote is
 * open meanwhile. Nothing is left to let go of: completions did that themselves.
 */
export function confirm(tx: Tx, completions: readonly Completion[]): ConfirmReceipt[] {
  return completions.map((completion): ConfirmReceipt => {
    if (isLeased(tx, completion)) return { status: 'undone' };
    const job = jobById(tx, completion.id);
    if (job !== undefined && job.state !== 'completed') return { status: 'lost' };
    if (completion.remote) for (const topic of FOLLOWING) tx.topics.add(topic);
    return { status: 'settled', state: 'completed' };
  });
}

/** What may follow from the end of a job; nobody hinted it where the handler was elsewhere. */
const FOLLOWING = ['settled', 'ready', 'plan'] as const;
