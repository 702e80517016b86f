import type { JobState } from '../core/job-state.ts';
import type { Outcome, OutcomeType } from '../core/outcome.ts';
import type { EventName } from '../telemetry/events.ts';

/** The event that tells of an outcome. Not put together for each job: to look something up by a text that is new each time is slow. */
export const END_EVENTS = {
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
