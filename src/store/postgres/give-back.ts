import { settle as rule } from '../../core/settle-rule.ts';
import { groundHeld } from './maintain.ts';
import { isUuid, type JobRow, type Tx } from './rows.ts';
import { applyChanges, subjectOf } from './settle.ts';

/** Gives back, uncharged, the jobs of claims whose answers were lost. Returns the claims that were found. */
export async function giveBack(tx: Tx, claims: readonly string[]): Promise<string[]> {
  const known = claims.filter(isUuid);
  await groundHeld(tx, 'claim_id = ANY ($1)', known, true);
  const rows = await tx.query<JobRow & { claim_id: string }>(
    `SELECT job.*, lease.claim_id FROM ${tx.schema}.lease CROSS JOIN unnest(lease.seqs) AS member (seq)
       JOIN ${tx.schema}.job ON job.seq = member.seq AND job.lease = lease.token
     WHERE lease.claim_id = ANY ($1) ORDER BY job.seq FOR UPDATE OF job`,
    [known],
  );
  await applyChanges(
    tx,
    rows.map((job) => ({
      job,
      move: 'release',
      change: rule(subjectOf(job), { type: 'released' }, tx.now),
    })),
  );
  return [...new Set(rows.map(({ claim_id }) => claim_id))];
}
