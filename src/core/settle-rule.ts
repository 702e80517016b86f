import type { AttemptError } from './errors.ts';
import type { JobState } from './job-state.ts';
import { isGivenBack, type Outcome } from './outcome.ts';

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
  /**
   * The job that took its unique key over while this one was claimed, null for one that is gone since; absent where it has
   * no unique key or still holds it. Looked at for outcomes that give the job back (`isGivenBack`).
   */
  readonly replacedBy?: string | null | undefined;
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

/** An expiry always leaves an error that says so. */
export type ExpiryChange = JobChange & { readonly error: AttemptError };

export const CRASHES_MAX_DEFAULT = 3;

/** The next state of a running job whose attempt ended with `outcome`. */
export function settle(job: SettleSubject, outcome: Outcome, now: number): JobChange {
  const { attempt, crashes, replacedBy } = job;
  // To the worker it was running, so the newer job was added beside it; of the two only the newer one is to run.
  if (replacedBy !== undefined && !job.cancelRequested && isGivenBack(outcome))
    return cancelled({ ...job, attempt: attempt - 1 }, now, replacedError(attempt, replacedBy, now));
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
export function expire(job: SettleSubject, now: number, crashesMax = CRASHES_MAX_DEFAULT): ExpiryChange {
  const crashes = job.crashes + 1;
  const attempt = job.attempt;
  const state = job.cancelRequested ? 'cancelled' : crashes >= crashesMax ? 'failed' : 'ready';
  const error = expiryError(attempt, crashes, state, now);
  return state === 'ready'
    ? { state, attempt, crashes, dueAt: now, error }
    : { state, attempt, crashes, finishedAt: now, error };
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

function replacedError(attempt: number, by: string | null, at: number): AttemptError {
  const message = `This job was given back unfinished, and its unique key had gone to ${by === null ? 'a newer job' : `job ${by}`} meanwhile: that one runs instead.`;
  return { attempt, at, name: 'LongshoreError', message, stack: null, code: 'JOB_REPLACED' };
}

const EXPIRY_MEANS = {
  ready: 'it was killed, it hangs, or it lost the store. The job runs again.',
  cancelled: 'it was killed, it hangs, or it lost the store. The job was to be cancelled, and is.',
};

function expiryError(
  attempt: number,
  crashes: number,
  state: 'ready' | 'cancelled' | 'failed',
  at: number,
): AttemptError {
  const silent = 'The worker fell silent while it held this job';
  return {
    attempt,
    at,
    name: 'LongshoreError',
    message:
      state === 'failed'
        ? `${silent}, ${crashes} times now, which is the limit. Redrive the job once the cause is mended.`
        : `${silent}: ${EXPIRY_MEANS[state]}`,
    stack: null,
    code: state === 'failed' ? 'JOB_POISONED' : 'LEASE_EXPIRED',
  };
}
