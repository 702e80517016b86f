import { LongshoreError, requireInteger, requirePositiveMs } from '../core/errors.ts';
import { isError, isErrorLike, reasonOf } from '../core/legible.ts';
import { encodeMeta, type JobMeta } from '../core/meta.ts';
import type { Outcome } from '../core/outcome.ts';
import { decodePayload, type Json, type PayloadCodec } from '../core/payload.ts';
import { UnfitJob } from '../execution/lane.ts';
import type { Lease } from '../store/store.ts';
import type { Ended, Work } from './work.ts';

/** Between an engine's work and what the executor takes and gives: a lease that no store has, and an outcome. */

/** Throws PAYLOAD_NOT_JSON, PAYLOAD_TOO_LARGE, OPTION_INVALID: no worker can run that. */
export function leaseOf(work: Work, codec: PayloadCodec, now: number): Lease {
  const {
    task,
    id,
    queue,
    attempt,
    attemptsMax = Number.MAX_SAFE_INTEGER,
    timeoutMs,
    enqueuedAt = now,
  } = work;
  if (timeoutMs !== undefined) requirePositiveMs('timeoutMs', timeoutMs);
  return {
    id,
    token: id,
    claimedAt: now,
    queue,
    task,
    key: null,
    input: codec.text(work.input, `the input of task '${task}'`),
    meta: encodeMeta({ ...metaOf(work), ...(timeoutMs === undefined ? {} : { timeoutMs }) }),
    attempt: requireInteger('attempt', attempt, 1),
    attemptsMax,
    crashes: 0,
    priority: 0,
    createdAt: enqueuedAt,
    dueAt: enqueuedAt,
  };
}

/** What an engine ties work together with may have any length: no work is worth less for it. */
function metaOf({ correlationId = '', traceparent }: Work): { readonly meta?: JobMeta } {
  const correlated = correlationId
    .replaceAll(CONTROL_CHARACTERS, ' ')
    .slice(0, CORRELATION_CHARS_MAX)
    .toWellFormed();
  const meta = {
    ...(correlated === '' ? {} : { correlationId: correlated }),
    ...(traceparent !== undefined && TRACEPARENT.test(traceparent) ? { traceparent } : {}),
  };
  return Object.keys(meta).length === 0 ? {} : { meta };
}

const CORRELATION_CHARS_MAX = 200;
const CONTROL_CHARACTERS = /\p{Cc}/gu;
const TRACEPARENT = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/;

/** `outcome`: null where the lock is lost. `thrown`: what ended it, where that was an error. */
export function endedOf(outcome: Outcome | null, thrown: unknown, ms: number): Ended {
  if (outcome === null) return { state: 'lost' };
  switch (outcome.type) {
    case 'completed':
      return {
        state: 'completed',
        result: decodePayload(outcome.result, 'the result') as Json | undefined,
        ms,
      };
    case 'retried':
      return { state: 'failed', error: errorOf(thrown), retry: true, retryInMs: outcome.delayMs, ms };
    case 'failed':
      return { state: 'failed', error: errorOf(thrown), retry: false, ms };
    case 'snoozed':
      return { state: 'snoozed', delayMs: outcome.delayMs };
    default:
      return { state: outcome.type };
  }
}

/** As it was thrown, where it was an error. */
export function errorOf(thrown: unknown): Error {
  if (UnfitJob.is(thrown)) return thrown.cause;
  return isError(thrown)
    ? thrown
    : new Error(isErrorLike(thrown) ? reasonOf(thrown) : String(reasonOf(thrown)), { cause: thrown });
}

export function taskUnknown({ task, queue }: Work, known: Iterable<string>): LongshoreError {
  const names = [...known].slice(0, NAMES_MAX).join(', ') || 'none';
  return new LongshoreError(
    'TASK_UNKNOWN',
    `There is no task '${task}', which queue '${queue}' asks for; the tasks are: ${names}. Add it to the tasks of this worker, or keep its work away from the queue.`,
    { details: { task, queue } },
  );
}

const NAMES_MAX = 20;
