import { LongshoreError, toAttemptError } from '../core/errors.ts';
import { memberOf } from '../core/legible.ts';
import { decodeMeta } from '../core/meta.ts';
import type { Outcome } from '../core/outcome.ts';
import { inputOf, type PayloadCodec, type PayloadPlace } from '../core/payload.ts';
import { BACKOFF_DEFAULT, type Backoff, outcomeOfError } from '../core/retry.ts';
import { UnfitJob } from '../execution/lane.ts';
import { unfit } from '../execution/steps.ts';
import type { Attempt } from './attempt.ts';
import type { Durable } from './durable.ts';
import { isSuspension } from './suspension.ts';
import type { Traces } from './traces.ts';

/**
 * The executor's steps before and after the lane, over one Attempt. Each either returns what the next one needs or
 * throws; `outcomeOf` turns what was thrown, and why the attempt was aborted, into an outcome.
 */

/** Reads the job's meta, and opens its input into the JSON text that a lane takes. Returns what was thrown, or null. */
export function openJob(attempt: Attempt, codec: PayloadCodec): unknown {
  const { lease } = attempt;
  try {
    if (lease.meta !== null) attempt.kept = decodeMeta(lease.meta, lease.id);
    attempt.input = codec.open(lease.input, inputOf(lease), `the stored input of job ${lease.id}`);
    return null;
  } catch (error) {
    return unfit(error);
  }
}

/** The handler sees the context of its own run, and what it enqueues goes on from there. */
export function trace(attempt: Attempt, traces: Traces | null): Attempt {
  if (traces === null) return attempt;
  const running = traces.start(attempt.lease, attempt.startedAt);
  if (running === null) return attempt;
  attempt.trace = running;
  attempt.kept = decodeMeta(running.meta, attempt.lease.id);
  attempt.within = (work) => running.within(work);
  return attempt;
}

/** Where its result goes. */
export function resultOf({ lease }: Attempt): PayloadPlace {
  return { role: 'result', id: lease.id };
}

/** What becomes of an attempt whose handler ended well. Throws where it is not sealed, or was to end otherwise. */
export function completed(attempt: Attempt, result: string | null, codec: PayloadCodec): Outcome {
  if (attempt.durable?.suspended === true) throw attempt.durable.swallowed(null);
  return { type: 'completed', result: codec.seal(result, resultOf(attempt)) };
}

/** What becomes of an attempt that threw. `null`: nothing may be settled, because the lease is gone. Never throws. */
export function outcomeOf(
  thrown: unknown,
  attempt: Attempt,
  now: number,
  random: () => number,
): Outcome | null {
  const { lease, abortReason } = attempt;
  attempt.thrown = thrown;
  if (abortReason !== null) return outcomeOfAbort(abortReason, thrown, attempt, now, random);
  if (attempt.durable?.suspended === true)
    return outcomeOfSuspension(attempt.durable, thrown, attempt, now, random);
  if (UnfitJob.is(thrown)) return { type: 'failed', error: toAttemptError(thrown.cause, lease.attempt, now) };
  return outcomeOfError(thrown, { ...lease, backoff: backoffOf(attempt), now, random });
}

function outcomeOfSuspension(
  durable: Durable,
  thrown: unknown,
  attempt: Attempt,
  now: number,
  random: () => number,
): Outcome {
  if (isSuspension(thrown)) return durable.suspension();
  const isTold = memberOf(thrown, 'code') === 'SUSPENSION_SWALLOWED';
  return outcomeOfError(isTold ? thrown : durable.swallowed(thrown), {
    ...attempt.lease,
    backoff: backoffOf(attempt),
    now,
    random,
  });
}

function outcomeOfAbort(
  reason: LongshoreError,
  thrown: unknown,
  attempt: Attempt,
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
      attempt.thrown = error;
      return outcomeOfError(error, { ...attempt.lease, backoff: backoffOf(attempt), now, random });
    }
    default:
      // The worker stops: the job goes back to the line and the attempt is not charged.
      return { type: 'released' };
  }
}

function backoffOf({ kept, task }: Attempt): Backoff {
  return kept.backoff ?? task?.backoff ?? BACKOFF_DEFAULT;
}
