import type { JobState } from '../core/job-state.ts';
import type { Outcome, OutcomeType } from '../core/outcome.ts';
import type { Lease, Settlement } from '../store/store.ts';
import type { EventName } from '../telemetry/events.ts';

/** An attempt that ended, on its way to the store (settler.ts). */
export interface Ended {
  readonly lease: Lease;
  readonly outcome: Outcome;
  readonly runMs: number;
  /** No handler asked for it: a snooze is not told. */
  readonly passedBy: boolean;
  /** How often the store refused it when it was written alone. */
  refusals: number;
  /** How many batches had been written when it last failed alone; null as long as it did not. */
  failedAt: number | null;
  /** The job is on its way back to the store. */
  returning: boolean;
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

export function settlement({ lease, outcome }: Ended): Settlement {
  return { id: lease.id, token: lease.token, outcome };
}

/** The settle rule may have decided otherwise than the worker: a retry without attempts left failed, a cancel won. */
export function typeOf(outcome: Outcome, state: JobState): OutcomeType {
  if (state === 'cancelled') return 'cancelled';
  if (state === 'failed') return 'failed';
  return outcome.type;
}
