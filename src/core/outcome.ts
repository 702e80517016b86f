import type { AttemptError } from './errors.ts';

/**
 * How an attempt ended: a closed union. The worker decides it, the settle rule turns it into the next state.
 * Payloads are encoded text (see payload.ts), never live values.
 */
export type Outcome =
  | { readonly type: 'completed'; readonly result: string | null }
  | { readonly type: 'retried'; readonly error: AttemptError; readonly delayMs: number }
  | { readonly type: 'failed'; readonly error: AttemptError }
  | { readonly type: 'cancelled'; readonly error: AttemptError | null }
  /** The handler asked to run later, or the worker cannot run the job (`unstarted`); the attempt is not charged. */
  | { readonly type: 'snoozed'; readonly delayMs: number; readonly unstarted?: true }
  /** The worker gives the job back without having started it; the attempt is not charged. */
  | { readonly type: 'released' };

export type OutcomeType = Outcome['type'];

/** Whether the worker gives the job up without a word of its handler: somebody else is to run it. */
export function isGivenBack(outcome: Outcome): boolean {
  return outcome.type === 'released' || (outcome.type === 'snoozed' && outcome.unstarted === true);
}
