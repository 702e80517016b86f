import Type, { type Static } from 'typebox';
import { MISSED, OVERLAPS, SCHEDULE_STATES } from '../../core/schedule/data.ts';
import type { ScheduleDetail, ScheduleView } from '../../schedule/schedule-view.ts';
import { Closed, Nullable, Payload, Time } from '../forms.ts';

/** A schedule as the API shows it. */
export const ScheduleState = Type.Enum([...SCHEDULE_STATES]);
export const Overlap = Type.Enum([...OVERLAPS]);
export const Missed = Type.Enum([...MISSED]);

export const StartForm = Closed({
  id: Type.String(),
  kind: Type.Enum(['job', 'run']),
  scheduledAt: Time,
  startedAt: Time,
});

const SUMMARY = {
  name: Type.String(),
  state: ScheduleState,
  task: Nullable(Type.String()),
  flow: Nullable(Type.String()),
  cron: Nullable(Type.String()),
  zone: Nullable(Type.String()),
  everyMs: Nullable(Type.Number()),
  at: Nullable(Time),
  start: Nullable(Time),
  end: Nullable(Time),
  jitterMs: Type.Number(),
  overlap: Overlap,
  missed: Missed,
  missedMax: Type.Integer(),
  note: Nullable(Type.String()),
  owner: Nullable(Type.String({ description: 'Whose code defines it; null: set by hand' })),
  nextAt: Nullable(Time),
  queuedAt: Nullable(Time),
  live: Type.Array(Type.String(), { description: 'Ids of jobs or runs that have not ended, the latest 100' }),
  last: Nullable(StartForm),
  lastEnd: Nullable(Closed({ scheduledAt: Time, endedAt: Time, state: Type.String() })),
  starts: Type.Integer(),
  skips: Type.Integer(),
  paused: Nullable(Closed({ at: Time, by: Type.String(), note: Nullable(Type.String()) })),
  orphanedAt: Nullable(Time),
  createdAt: Time,
  updatedAt: Time,
};

export const ScheduleSummaryForm = Closed(SUMMARY);

export const ScheduleForm = Closed({
  ...SUMMARY,
  input: Payload,
  queue: Nullable(Type.String()),
  priority: Nullable(Type.Integer()),
  attempts: Nullable(Type.Integer()),
  key: Nullable(Type.String()),
  audit: Type.Array(
    Closed({ at: Time, by: Type.String(), action: Type.String(), note: Nullable(Type.String()) }),
  ),
});

export function scheduleSummary(schedule: ScheduleView): Static<typeof ScheduleSummaryForm> {
  return schedule as Static<typeof ScheduleSummaryForm>;
}

export function scheduleAnswer(schedule: ScheduleDetail): Static<typeof ScheduleForm> {
  return schedule as Static<typeof ScheduleForm>;
}
