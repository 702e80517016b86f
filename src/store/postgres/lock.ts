import type { LockRequest } from '../lease-lock.ts';
import { type Tx, wholeMs } from './rows.ts';

/** Named locks that expire (store/lease-lock.ts). */
export async function acquire(tx: Tx, { name, holder, ttlMs }: LockRequest): Promise<boolean> {
  const held = await tx.query(
    `INSERT INTO ${tx.schema}.lock AS held (name, holder, expires_at) VALUES ($1, $2, $3)
     ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
       WHERE held.holder = excluded.holder OR held.expires_at <= $4
     RETURNING 1`,
    [name, holder, wholeMs(tx.now + ttlMs), tx.now],
  );
  return held.length === 1;
}

export async function release(tx: Tx, { name, holder }: Pick<LockRequest, 'name' | 'holder'>): Promise<null> {
  await tx.query(`DELETE FROM ${tx.schema}.lock WHERE name = $1 AND holder = $2`, [name, holder]);
  return null;
}
