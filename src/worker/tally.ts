import type { JobState } from '../core/job-state.ts';
import type { Outcome, OutcomeType } from '../core/outcome.ts';
import type { EventName } from '../telemetry/events.ts';

/** How many attempts ended in which way; `lost` outcomes were refused by the store. */
export type Tally = Record<OutcomeType | 'lost', number>;

export function emptyTally(): Tally {
  return { completed: 0, retried: 0, failed: 0, cancelled: 0, snoozed: 0, released: 0, lost: 0 };
}

/** Not put together for each job: to look something up by a text that is new each time is slow. */
export const EVENT_OF = {
  completed: 'job.completed',
  retried: 'job.retried',
  failed: 'job.failed',
  cancelled: 'job.cancelled',
  snoozed: 'job.snoozed',
  released: 'job.released',
} as const satisfies Record<OutcomeType, EventName>;

/** The settle rule may have decided otherwise than the worker: a retry without attempts left failed, a cancel won. */
export function typeOf(outcome: Outcome, state: JobState): OutcomeType {
  if (state === 'cancelled') return 'cancelled';
  if (state === 'failed') return 'failed';
  return outcome.type;
}
