import { LIVE_MAX, type Live, type ScheduleValue } from './data.ts';
import { type CronTicks, jitterOf } from './ticks.ts';

/** What a decision changes, until it is done. */
export interface Draft {
  value: ScheduleValue;
  readonly starts: Start[];
  readonly stops: Live[];
  readonly skipped: Skipped[];
  readonly given: { readonly now: number; readonly cron: CronTicks; readonly idOf: IdOf };
}

/** The id of what a start makes, by its reference and time (src/flow/part-id.ts). */
export type IdOf = (as: string, time: number) => string;

export interface Start {
  readonly id: string;
  /** Reference of its report. */
  readonly as: string;
  /** The time of the tick, which is what the handler is told. */
  readonly scheduledAt: number;
  /** When it may start: the tick and its jitter. */
  readonly dueAt: number;
  readonly cause: 'tick' | 'run' | 'backfill';
}

/** Ticks that start nothing, from the first to the last of them. */
export interface Skipped {
  readonly from: number;
  readonly to: number;
  readonly reason: 'overlap' | 'missed';
}

/** Starts a job or run for the tick. */
export function start(draft: Draft, scheduledAt: number, cause: Start['cause'], as: string): void {
  const { value, given } = draft;
  const { name, data } = value;
  const jitter = cause === 'tick' ? jitterOf(name, scheduledAt, data.jitterMs) : 0;
  const id = given.idOf(as, scheduledAt);
  draft.starts.push({ id, as, scheduledAt, dueAt: scheduledAt + jitter, cause });
  draft.value = { ...value, starts: value.starts + 1 };
  // A span that is made up for afterwards keeps no tick of today waiting.
  if (cause === 'backfill') return;
  const started = { scheduledAt, id, kind: data.target.kind };
  const live = [...value.live, { as, ...started }].slice(-LIVE_MAX);
  draft.value = { ...draft.value, live, last: { ...started, startedAt: given.now } };
}
