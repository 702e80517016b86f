import { LongshoreError, toAttemptError } from '../core/errors.ts';
import type { Outcome } from '../core/outcome.ts';
import type { PayloadCodec } from '../core/payload.ts';
import { BACKOFF_DEFAULT, outcomeOfError } from '../core/retry.ts';
import { UnfitJob } from '../execution/lane.ts';
import { unfit } from '../execution/steps.ts';
import type { Attempt } from './attempt.ts';

/**
 * The executor's steps before and after the lane, over one Attempt. Each either returns what the next one needs or
 * throws; `outcomeOf` turns what was thrown, and why the attempt was aborted, into an outcome.
 */

/** From what is stored to the JSON text that a lane takes. */
export function openInput({ lease }: Attempt, codec: PayloadCodec): string | null {
  try {
    return codec.open(lease.input, `the stored input of job ${lease.id}`);
  } catch (error) {
    throw unfit(error);
  }
}

/** What becomes of an attempt that threw. `null`: nothing may be settled, because the lease is gone. Never throws. */
export function outcomeOf(
  thrown: unknown,
  attempt: Attempt,
  now: number,
  random: () => number,
): Outcome | null {
  const { lease, task, abortReason } = attempt;
  if (abortReason !== null) return outcomeOfAbort(abortReason, thrown, attempt, now, random);
  if (UnfitJob.is(thrown)) return { type: 'failed', error: toAttemptError(thrown.cause, lease.attempt, now) };
  return outcomeOfError(thrown, { ...lease, backoff: task?.backoff ?? BACKOFF_DEFAULT, now, random });
}

function outcomeOfAbort(
  reason: LongshoreError,
  thrown: unknown,
  { lease, task }: Attempt,
  now: number,
  random: () => number,
): Outcome | null {
  switch (reason.code) {
    case 'LEASE_LOST':
      return null;
    case 'JOB_CANCELLED':
      return { type: 'cancelled', error: null };
    case 'JOB_TIMED_OUT':
    case 'JOB_HEARTBEAT_MISSED': {
      const cause = thrown === reason ? undefined : thrown;
      const error = new LongshoreError(reason.code, reason.message, { cause, details: reason.details });
      return outcomeOfError(error, { ...lease, backoff: task?.backoff ?? BACKOFF_DEFAULT, now, random });
    }
    default:
      // The worker stops: the job goes back to the line and the attempt is not charged.
      return { type: 'released' };
  }
}
