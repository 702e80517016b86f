import type { AttemptError } from './errors.ts';
import type { JobState } from './job-state.ts';
import type { Outcome } from './outcome.ts';

/**
 * The semantics of settling, once, for every store: job + outcome + now -> what changes.
 * Stores only write down what these functions return.
 *
 * Two budgets are kept apart. `attempts` bounds what the handler did: it counts runs that ended in an error.
 * `crashes` bounds what happened to the worker: it counts leases that expired. A crash uses up an attempt
 * NUMBER (numbers are never given twice to two executions) but not an attempt of the budget, because nobody
 * can know whether the handler had started. So a job with `attempts: 1` survives a killed worker, and a job
 * that keeps killing its workers ends as a dead letter.
 */

/** What the rule must know of a job. */
export interface SettleSubject {
  /** Number of the attempt that ends now, from 1. */
  readonly attempt: number;
  /** Attempts allowed to end in an error; 1 means no retry. */
  readonly attemptsMax: number;
  /** Leases of this job that expired so far. */
  readonly crashes: number;
  readonly cancelRequested: boolean;
}

/** What a store writes. Fields that are absent stay as they are. */
export interface JobChange {
  readonly state: JobState;
  readonly attempt: number;
  readonly crashes: number;
  /** When the job may run next, in ms since the epoch; set for `scheduled` and `ready` only. */
  readonly dueAt?: number;
  /** Set for terminal states only. */
  readonly finishedAt?: number;
  /** Encoded result; set for `completed` only. */
  readonly result?: string | null;
  /** To be kept with the job. */
  readonly error?: AttemptError;
}

export const CRASHES_MAX_DEFAULT = 3;

/** The next state of a running job whose attempt ended with `outcome`. */
export function settle(job: SettleSubject, outcome: Outcome, now: number): JobChange {
  const { attempt, crashes } = job;
  switch (outcome.type) {
    case 'completed':
      return { state: 'completed', attempt, crashes, finishedAt: now, result: outcome.result };
    case 'failed':
      return { state: 'failed', attempt, crashes, finishedAt: now, error: outcome.error };
    case 'cancelled':
      return cancelled(job, now, outcome.error);
    case 'retried':
      if (job.cancelRequested) return cancelled(job, now, outcome.error);
      if (attemptsExhausted(job))
        return { state: 'failed', attempt, crashes, finishedAt: now, error: outcome.error };
      return { ...waiting(now, outcome.delayMs), attempt, crashes, error: outcome.error };
    case 'snoozed':
      if (job.cancelRequested) return cancelled(job, now, null);
      return { ...waiting(now, outcome.delayMs), attempt: attempt - 1, crashes };
    case 'released':
      if (job.cancelRequested) return cancelled({ ...job, attempt: attempt - 1 }, now, null);
      return { ...waiting(now, 0), attempt: attempt - 1, crashes };
  }
}

/** The next state of a running job whose lease expired: its worker died, hangs, or is cut off. */
export function expire(job: SettleSubject, now: number, crashesMax = CRASHES_MAX_DEFAULT): JobChange {
  const crashes = job.crashes + 1;
  const attempt = job.attempt;
  const error = expiryError(attempt, crashes, crashesMax, now);
  if (job.cancelRequested) return { state: 'cancelled', attempt, crashes, finishedAt: now, error };
  if (crashes >= crashesMax) return { state: 'failed', attempt, crashes, finishedAt: now, error };
  return { state: 'ready', attempt, crashes, dueAt: now, error };
}

/** True when this attempt was the last one the budget allows. */
export function attemptsExhausted(job: Pick<SettleSubject, 'attempt' | 'attemptsMax' | 'crashes'>): boolean {
  return job.attempt - job.crashes >= job.attemptsMax;
}

function waiting(now: number, delayMs: number): { state: 'ready' | 'scheduled'; dueAt: number } {
  return { state: delayMs > 0 ? 'scheduled' : 'ready', dueAt: now + delayMs };
}

function cancelled(job: SettleSubject, now: number, error: AttemptError | null): JobChange {
  const change = { state: 'cancelled', attempt: job.attempt, crashes: job.crashes, finishedAt: now } as const;
  return error === null ? change : { ...change, error };
}

function expiryError(attempt: number, crashes: number, crashesMax: number, at: number): AttemptError {
  const poisoned = crashes >= crashesMax;
  return {
    attempt,
    at,
    name: 'LongshoreError',
    message: poisoned
      ? `The worker fell silent while it held this job, ${crashes} times (limit ${crashesMax}). Redrive the job once its cause is mended.`
      : 'The worker fell silent while it held this job: it was killed, it hangs, or it lost the store. The job runs again.',
    stack: null,
    code: poisoned ? 'JOB_POISONED' : 'LEASE_EXPIRED',
  };
}
