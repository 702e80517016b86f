import { intendedMs, intentOf, optionInvalid, requireMs, toAttemptError, withNote } from './errors.ts';
import { reasonOf } from './legible.ts';
import { knownNames, requireOptions } from './options.ts';
import type { Outcome } from './outcome.ts';
import { attemptsExhausted } from './settle-rule.ts';

/** Computes the wait before the next attempt from the attempt that just failed (from 1) and what it threw. */
export type BackoffFunction = (attempt: number, error: unknown) => number;

export interface BackoffPolicy {
  /** `fixed` d, `linear` d·n, `exponential` d·2^(n-1), `fibonacci` d·F(n) with F = 1, 1, 2, 3, 5 … for attempt n. */
  readonly type: 'fixed' | 'linear' | 'exponential' | 'fibonacci';
  /** The base d in milliseconds. */
  readonly delayMs: number;
  /** No wait is longer than this; default 24 h. */
  readonly maxMs?: number;
  /** 0 to 1: the wait is drawn evenly from ±this share around the computed one, none above `maxMs`; default 0. */
  readonly jitter?: number;
}

/** A number is a fixed wait in milliseconds. */
export type Backoff = number | BackoffPolicy | BackoffFunction;

const POLICY_OPTIONS = knownNames<BackoffPolicy>({ type: true, delayMs: true, maxMs: true, jitter: true });

export const BACKOFF_DEFAULT: BackoffPolicy = {
  type: 'exponential',
  delayMs: 1_000,
  maxMs: 3_600_000,
  jitter: 0.2,
};

const WAIT_MAX_MS = 86_400_000;

/** Milliseconds to wait after `attempt` failed. `random` gives [0, 1). Throws OPTION_INVALID when a backoff function returns nonsense. */
export function backoffMs(backoff: Backoff, attempt: number, error: unknown, random: () => number): number {
  if (typeof backoff === 'number') return backoff;
  if (typeof backoff === 'function')
    return requireMs('the return value of the backoff function', backoff(attempt, error));
  const { maxMs = WAIT_MAX_MS, jitter = 0 } = backoff;
  const wait = Math.min(backoff.delayMs * growth(backoff.type, attempt), maxMs);
  if (jitter === 0) return Math.round(wait);
  // Drawn below the bound, not cut at it: retries that reached the bound together would all come back together.
  const [shortest, longest] = [wait * (1 - jitter), Math.min(wait * (1 + jitter), maxMs)];
  return Math.round(shortest + (longest - shortest) * random());
}

function growth(type: BackoffPolicy['type'], attempt: number): number {
  switch (type) {
    case 'fixed':
      return 1;
    case 'linear':
      return attempt;
    case 'exponential':
      return 2 ** Math.min(attempt - 1, 60);
    case 'fibonacci': {
      let [previous, current] = [0, 1];
      for (let n = 1; n < Math.min(attempt, 90); n += 1) [previous, current] = [current, previous + current];
      return current;
    }
  }
}

/** Checks a backoff at definition time. Throws OPTION_INVALID naming the field. */
export function requireBackoff(field: string, backoff: Backoff): Backoff {
  if (typeof backoff === 'function') return backoff;
  if (typeof backoff === 'number') return requireMs(field, backoff);
  if (typeof backoff !== 'object' || backoff === null)
    throw optionInvalid(field, backoff, 'milliseconds, a policy or a function');
  requireOptions(field, backoff, POLICY_OPTIONS);
  if (!['fixed', 'linear', 'exponential', 'fibonacci'].includes(backoff.type)) {
    throw optionInvalid(`${field}.type`, backoff.type, "'fixed', 'linear', 'exponential' or 'fibonacci'");
  }
  requireMs(`${field}.delayMs`, backoff.delayMs);
  if (backoff.maxMs !== undefined) requireMs(`${field}.maxMs`, backoff.maxMs);
  const jitter = backoff.jitter === undefined ? 0 : backoff.jitter;
  if (!(typeof jitter === 'number' && jitter >= 0 && jitter <= 1))
    throw optionInvalid(`${field}.jitter`, backoff.jitter, 'a number from 0 to 1');
  return backoff;
}

export interface FailedAttempt {
  readonly attempt: number;
  readonly attemptsMax: number;
  readonly crashes: number;
  readonly backoff: Backoff;
  readonly now: number;
  readonly random: () => number;
}

/**
 * What becomes of an attempt whose handler threw. In this order: a SnoozeError snoozes; an UnrecoverableError
 * fails; no attempts left fails; a RetryAfterError's wait wins over the backoff; anything else retries after it.
 */
export function outcomeOfError(thrown: unknown, job: FailedAttempt): Outcome {
  const intent = intentOf(thrown);
  const snoozeMs = intent === 'snooze' ? intendedMs(thrown, 'delayMs') : null;
  if (snoozeMs !== null) return { type: 'snoozed', delayMs: snoozeMs };
  const error = toAttemptError(thrown, job.attempt, job.now);
  if (intent === 'unrecoverable') return { type: 'failed', error };
  if (attemptsExhausted(job)) return { type: 'failed', error };
  const retryAfterMs = intent === 'retryAfter' ? intendedMs(thrown, 'retryAfterMs') : null;
  if (retryAfterMs !== null) return { type: 'retried', error, delayMs: retryAfterMs };
  try {
    return {
      type: 'retried',
      error,
      delayMs: backoffMs(job.backoff, job.attempt - job.crashes, thrown, job.random),
    };
  } catch (broken) {
    // A backoff function that throws or returns nonsense must not lose the job; it waits the default instead.
    const delayMs = backoffMs(BACKOFF_DEFAULT, job.attempt - job.crashes, thrown, job.random);
    return { type: 'retried', error: withNote(error, `backoff failed: ${reasonOf(broken)}`), delayMs };
  }
}
