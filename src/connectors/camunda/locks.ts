import type { HeldLock, Keeper } from '../../engine/keeper.ts';
import { type CamundaJob, fence } from './job.ts';

/** The lock of a job, extended from the keeper's thread every third of it. */
export interface KeptLock extends HeldLock {
  /** The cluster is being told how the job ended: from now on its answer decides, and a lock that is gone is no loss. */
  telling(): void;
}

/** `now`: ms since the epoch. `onLost`: the cluster no longer knows the lock, and nobody has begun to tell how the job ended. */
export function keepLock(
  keeper: Keeper,
  job: CamundaJob,
  { lockMs, now, onLost }: { readonly lockMs: number; readonly now: number; readonly onLost: () => void },
): KeptLock {
  const intervalMs = Math.round(lockMs / 3);
  // A job may have waited for this event loop for a part of its lock.
  const passedMs = lockMs - (job.deadline - now);
  const { signal, release } = keeper.hold(job.jobKey, {
    intervalMs,
    firstMs: Math.min(Math.max(intervalMs - passedMs, 0), intervalMs),
    body: JSON.stringify({ changeset: { timeout: lockMs }, ...fence(job) }),
  });
  signal.addEventListener('abort', onLost);
  return { signal, release, telling: () => signal.removeEventListener('abort', onLost) };
}
