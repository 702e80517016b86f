import { settle as rule } from '../../core/settle-rule.ts';
import type { GivenBack } from '../store.ts';
import { replacedAmong } from './replaced.ts';
import type { JobRow, Tx } from './rows.ts';
import { applyChanges, type Change, subjectOf } from './settle.ts';

/** Gives jobs back, uncharged, whose workers do not settle them. Their rows must be locked. */
export async function release(tx: Tx, jobs: readonly JobRow[]): Promise<GivenBack[]> {
  const replaced = await replacedAmong(tx, jobs);
  const changes = jobs.map((job): Change => {
    const subject = { ...subjectOf(job), replacedBy: replaced.get(job.seq) };
    return { job, move: 'release', change: rule(subject, { type: 'released' }, tx.now) };
  });
  await applyChanges(tx, changes);
  return changes.map(({ job: { id, queue, task }, change: { attempt, state } }) => ({
    id,
    queue,
    task,
    attempt,
    state,
  }));
}
