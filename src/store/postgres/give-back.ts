import { groundHeld } from './maintain.ts';
import { release } from './release.ts';
import { isUuid, type JobRow, type Tx } from './rows.ts';

/** Gives back, uncharged, the jobs of claims whose answers were lost. Returns the claims that were found. */
export async function giveBack(tx: Tx, claims: readonly string[]): Promise<string[]> {
  // Their leases first: one whose commit came in between would count as found with none but some of its jobs.
  const leases = await tx.query<{ token: number; claim_id: string }>(
    `SELECT token, claim_id FROM ${tx.schema}.lease WHERE claim_id = ANY ($1)`,
    [claims.filter(isUuid)],
  );
  if (leases.length === 0) return [];
  const tokens = leases.map(({ token }) => token);
  await groundHeld(tx, 'token = ANY ($1)', tokens, true);
  const rows = await tx.query<JobRow>(
    `SELECT job.* FROM ${tx.schema}.lease
       CROSS JOIN LATERAL ${tx.schema}.range_seqs(lease.firsts, lease.lasts) AS member (seq)
       JOIN ${tx.schema}.job ON job.seq = member.seq AND job.lease = lease.token
     WHERE lease.token = ANY ($1) ORDER BY job.seq FOR UPDATE OF job`,
    [tokens],
  );
  await release(tx, rows);
  return [...new Set(leases.map(({ claim_id }) => claim_id))];
}
