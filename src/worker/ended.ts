import type { JobState } from '../core/job-state.ts';
import type { Outcome, OutcomeType } from '../core/outcome.ts';
import type { Lease, Settlement } from '../store/store.ts';
import type { EventBus, EventName } from '../telemetry/events.ts';
import type { Beside } from './beside.ts';
import { facts } from './facts.ts';

/** An attempt's end, as its event tells it. */
export interface Told {
  readonly lease: Lease;
  readonly outcome: Outcome;
  readonly runMs: number;
  /** No handler asked for it: a snooze is not told. */
  readonly passedBy: boolean;
}

/** An attempt that ended, on its way to the store (settler.ts). */
export interface Ended extends Told {
  /** Never in one batch with those that have none. */
  readonly beside: Beside | null;
  /** How often the store refused it when it was written alone. */
  refusals: number;
  /** How many batches had been written when it last failed alone; null as long as it did not. */
  failedAt: number | null;
  /** The job is on its way back to the store. */
  returning: boolean;
}

/** How many attempts ended in which way; `lost` outcomes were refused by the store. */
export type Tally = Record<OutcomeType | 'lost', number>;

export function emptyTally(): Tally {
  return { completed: 0, retried: 0, failed: 0, cancelled: 0, snoozed: 0, released: 0, lost: 0 };
}

export function settlement({ lease, outcome }: Ended): Settlement {
  return { id: lease.id, token: lease.token, outcome };
}

/** The settle rule may have decided otherwise than the worker: a retry without attempts left failed, a cancel won. */
export function typeOf(outcome: Outcome, state: JobState): OutcomeType {
  if (state === 'cancelled') return 'cancelled';
  if (state === 'failed') return 'failed';
  return outcome.type;
}

export function emitEnd(
  events: EventBus,
  type: OutcomeType,
  { lease, outcome, runMs, passedBy }: Told,
): void {
  const name = EVENT_OF[type];
  if (!events.wants(name) || (passedBy && type === 'snoozed')) return;
  const end = { ...facts(lease), waitMs: Math.max(0, lease.claimedAt - lease.dueAt), runMs };
  const error = 'error' in outcome && outcome.error !== null ? { error: outcome.error } : {};
  const delay = 'delayMs' in outcome ? { delayMs: outcome.delayMs } : {};
  events.emit(name, { ...end, ...error, ...delay } as never);
}

/** Not put together for each job: to look something up by a text that is new each time is slow. */
const EVENT_OF = {
  completed: 'job.completed',
  retried: 'job.retried',
  failed: 'job.failed',
  cancelled: 'job.cancelled',
  snoozed: 'job.snoozed',
  released: 'job.released',
} as const satisfies Record<OutcomeType, EventName>;
