import { settle as rule } from '../../core/settle-rule.ts';
import { isUuid, type JobRow, type Tx } from './rows.ts';
import { applyChanges, subjectOf } from './settle.ts';

/**
 * Leases, one row of the table `lease` a claimed batch of a queue. A job's token is `<lease>.<seq>`: the lease's number
 * fences (it never repeats), the seq finds the row. A job is held while its column `lease` has that number.
 */
export interface Token {
  readonly lease: number;
  readonly seq: number;
}

/** Null for what no claim ever gave. */
export function parseToken(token: string): Token | null {
  const dot = token.indexOf('.');
  const lease = Number(token.slice(0, dot));
  const seq = Number(token.slice(dot + 1));
  return Number.isSafeInteger(lease) && Number.isSafeInteger(seq) && token === `${lease}.${seq}`
    ? { lease, seq }
    : null;
}

/** Gives back, uncharged, the jobs of claims whose answers were lost. Returns the claims that were found. */
export async function giveBack(tx: Tx, claims: readonly string[]): Promise<string[]> {
  const rows = await tx.query<JobRow & { claim_id: string }>(
    `SELECT job.*, lease.claim_id FROM ${tx.schema}.lease CROSS JOIN unnest(lease.seqs) AS member (seq)
       JOIN ${tx.schema}.job ON job.seq = member.seq AND job.lease = lease.token
     WHERE lease.claim_id = ANY ($1) ORDER BY job.seq FOR UPDATE OF job`,
    [claims.filter(isUuid)],
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
