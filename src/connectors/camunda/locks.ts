import { LongshoreError } from '../../core/errors.ts';
import type { HeldLock, Keeper } from '../../engine/keeper.ts';
import { type CamundaJob, fence } from './job.ts';

/** The lock of a job, extended from the keeper's thread every third of it. */
export interface KeptLock extends Omit<HeldLock, 'settle'> {
  /** The cluster is being told how the job ended: from now on its answer decides, and a lock that is gone is no loss. */
  telling(): void;
  /** The cluster gave the job out again, so this lock has ended. */
  lose(): void;
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
  const lost = new AbortController();
  const held = keeper.hold(job.jobKey, {
    intervalMs,
    firstMs: Math.min(Math.max(intervalMs - passedMs, 0), intervalMs),
    body: JSON.stringify({ changeset: { timeout: lockMs }, ...fence(job) }),
  });
  const { signal } = lost;
  signal.addEventListener('abort', onLost);
  held.signal.addEventListener('abort', () => lost.abort(held.signal.reason));
  return {
    signal,
    release: () => held.release(),
    telling: () => signal.removeEventListener('abort', onLost),
    lose() {
      held.release();
      const message = `The lock of job ${job.jobKey} ended, and the job was given out again.`;
      lost.abort(new LongshoreError('LEASE_LOST', message, { details: { id: job.jobKey } }));
    },
  };
}
