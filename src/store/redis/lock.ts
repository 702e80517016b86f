import type { LockRequest } from '../lease-lock.ts';
import type { Session } from './session.ts';

/** Named locks that expire (store/lease-lock.ts). */
export async function acquire(
  { scripts }: Session,
  { name, holder, ttlMs }: LockRequest,
  now: number | undefined,
): Promise<boolean> {
  const { values } = await scripts.run('lock', now, ['acquire', name, holder, String(ttlMs)]);
  return values[0] === 1;
}

export async function release(
  { scripts }: Session,
  { name, holder }: Pick<LockRequest, 'name' | 'holder'>,
  now: number | undefined,
): Promise<void> {
  await scripts.run('lock', now, ['release', name, holder]);
}
