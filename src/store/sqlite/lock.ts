import type { LockRequest } from '../lease-lock.ts';
import { type Tx, wholeMs } from './rows.ts';
import { NEEDS_WRITE } from './verb.ts';

/** Named locks that expire (store/lease-lock.ts). */
export function peekAcquire(tx: Tx, { name, holder }: LockRequest): false | typeof NEEDS_WRITE {
  const other = tx.db.get(
    'SELECT 1 FROM lock WHERE name = ? AND holder <> ? AND expires_at > ?',
    name,
    holder,
    tx.now,
  );
  return other === undefined ? NEEDS_WRITE : false;
}

export function acquire(tx: Tx, { name, holder, ttlMs }: LockRequest): boolean {
  return (
    tx.db.run(
      `INSERT INTO lock (name, holder, expires_at) VALUES (?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
       WHERE lock.holder = excluded.holder OR lock.expires_at <= ?`,
      name,
      holder,
      wholeMs(tx.now + ttlMs),
      tx.now,
    ) === 1
  );
}

export function release(tx: Tx, { name, holder }: Pick<LockRequest, 'name' | 'holder'>): null {
  tx.db.run('DELETE FROM lock WHERE name = ? AND holder = ?', name, holder);
  return null;
}
