import type { PayloadCodec } from '../core/payload.ts';
import type { Missed, Overlap, ScheduleAudit, ScheduleState, ScheduleValue } from '../core/schedule/data.ts';
import type { PlanRecord } from '../store/plans.ts';
import { labelOf } from './schedule-rule.ts';
import { schedulePlace } from './spec.ts';

/** A schedule as people and programs look at it. Times are in ms since the epoch. */
export interface ScheduleView {
  readonly name: string;
  /** `orphaned`: its owner's code defines it no more, so it does not tick. `ended`: no tick is to come. */
  readonly state: ScheduleState;
  /** One of `task` and `flow` is given, and one of `cron`, `everyMs` and `at`; the others are null. */
  readonly task: string | null;
  readonly flow: string | null;
  readonly cron: string | null;
  /** Of a cron expression. */
  readonly zone: string | null;
  readonly everyMs: number | null;
  readonly at: number | null;
  readonly start: number | null;
  readonly end: number | null;
  readonly jitterMs: number;
  readonly overlap: Overlap;
  readonly missed: Missed;
  readonly missedMax: number;
  readonly note: string | null;
  /** Whose code defines it; null: set by hand. */
  readonly owner: string | null;
  /** The next tick; null while it does not tick. */
  readonly nextAt: number | null;
  /** A tick that waits for the end of what runs. */
  readonly queuedAt: number | null;
  /** Ids of jobs or runs that have not ended, the latest 100. */
  readonly live: readonly string[];
  readonly last: ScheduleStart | null;
  readonly lastEnd: { readonly scheduledAt: number; readonly endedAt: number; readonly state: string } | null;
  /** Started so far. */
  readonly starts: number;
  /** Ticks that `overlap` skipped. */
  readonly skips: number;
  readonly paused: { readonly at: number; readonly by: string; readonly note: string | null } | null;
  readonly orphanedAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What a tick, or somebody by hand, started. */
export interface ScheduleStart {
  readonly id: string;
  readonly kind: 'job' | 'run';
  readonly scheduledAt: number;
  readonly startedAt: number;
}

export interface ScheduleDetail extends ScheduleView {
  readonly input: unknown;
  /** Of a task's jobs; null where the target is a flow. */
  readonly queue: string | null;
  readonly priority: number | null;
  readonly attempts: number | null;
  readonly key: string | null;
  /** By hand and from code, oldest first, the latest 20. */
  readonly audit: readonly ScheduleAudit[];
}

export function scheduleView(plan: PlanRecord): ScheduleView {
  const value = JSON.parse(plan.value) as ScheduleValue;
  const { name, data, note, owner, queued, live, last, lastEnd, starts, skips, paused, createdAt } = value;
  const { when, jitterMs, overlap, missed, missedMax, target } = data;
  return {
    name,
    state: plan.state as ScheduleState,
    task: target.kind === 'task' ? labelOf(target) : null,
    flow: target.kind === 'flow' ? labelOf(target) : null,
    cron: when.kind === 'cron' ? when.expression : null,
    zone: when.kind === 'cron' ? when.zone : null,
    everyMs: when.kind === 'every' ? when.everyMs : null,
    at: when.kind === 'at' ? when.at : null,
    start: data.start,
    end: data.end,
    ...{ jitterMs, overlap, missed, missedMax, note, owner },
    nextAt: plan.state === 'active' ? value.next : null,
    queuedAt: queued,
    live: live.map(({ id }) => id),
    last: last === null ? null : startView(last, last.startedAt),
    lastEnd:
      lastEnd === null
        ? null
        : { scheduledAt: lastEnd.scheduledAt, endedAt: lastEnd.at, state: lastEnd.state },
    starts,
    skips,
    paused,
    orphanedAt: value.orphanedAt,
    createdAt,
    updatedAt: plan.updatedAt,
  };
}

export function startView(
  { id, kind, scheduledAt }: { id: string; kind: 'task' | 'flow'; scheduledAt: number },
  startedAt: number,
): ScheduleStart {
  return {
    id,
    kind: kind === 'task' ? 'job' : 'run',
    scheduledAt,
    startedAt,
  };
}

export function scheduleDetail(plan: PlanRecord, codec: PayloadCodec): ScheduleDetail {
  const { name, data, audit } = JSON.parse(plan.value) as ScheduleValue;
  const { target } = data;
  const task = target.kind === 'task' ? target : null;
  return {
    ...scheduleView(plan),
    input: codec.decode(target.input, schedulePlace(name), `the input of schedule '${name}'`) ?? null,
    queue: task?.queue ?? null,
    priority: task?.priority ?? null,
    attempts: task?.attemptsMax ?? null,
    key: task?.key ?? null,
    audit,
  };
}
