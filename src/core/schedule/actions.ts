import { AUDIT_MAX, type ScheduleAudit, type ScheduleData, type ScheduleValue } from './data.ts';
import { type Draft, start } from './draft.ts';
import { type CronTicks, tickAfter, ticksFrom } from './ticks.ts';

/** What is done to a schedule by hand or from code. `by` and `note` go into its audit trail. */
export type Action =
  | {
      readonly type: 'set';
      readonly data: ScheduleData;
      readonly owner: string | null;
      readonly note: string | null;
      /** Taken where the ticks change. */
      readonly generation: string;
      readonly by: string;
    }
  | { readonly type: 'pause' | 'resume'; readonly by: string; readonly note: string | null }
  /** `id` makes it a start of its own. */
  | { readonly type: 'run'; readonly id: string; readonly by: string; readonly note: string | null }
  | {
      readonly type: 'backfill';
      /** The span, its end excluded, and how many of its ticks, the earliest ones. */
      readonly from: number;
      readonly to: number;
      readonly count: number;
      readonly id: string;
      readonly by: string;
      readonly note: string | null;
    }
  | { readonly type: 'orphan' };

export function applyAction(draft: Draft, action: Action): void {
  const { now, cron } = draft.given;
  switch (action.type) {
    case 'set':
      draft.value = audited(changed(draft.value, action, now, cron), action, now);
      break;
    case 'pause':
      draft.value = audited({ ...draft.value, paused: { ...said(action), at: now } }, action, now);
      break;
    case 'resume':
      // Ticks of the pause are not missed: nobody wanted them.
      draft.value = audited(
        { ...restarted(draft.value, now, cron), queued: draft.value.queued, paused: null },
        action,
        now,
      );
      break;
    case 'run':
      draft.value = audited(draft.value, action, now);
      start(draft, now, 'run', `${draft.value.generation}:run:${action.id}`);
      break;
    case 'backfill':
      draft.value = audited(draft.value, action, now);
      for (const tick of ticksFrom(draft.value.data, action, cron))
        start(draft, tick, 'backfill', `${draft.value.generation}:${action.id}:${tick}`);
      break;
    case 'orphan':
      draft.value = { ...draft.value, orphanedAt: now, queued: null };
      break;
  }
}

/** A schedule that begins. */
export function newSchedule(
  name: string,
  { data, owner, note, generation, by }: Extract<Action, { type: 'set' }>,
  now: number,
  cron: CronTicks,
): ScheduleValue {
  return {
    name,
    data,
    generation,
    owner,
    note,
    createdAt: now,
    next: tickAfter(data, now, cron),
    paused: null,
    orphanedAt: null,
    live: [],
    queued: null,
    last: null,
    lastEnd: null,
    starts: 0,
    skips: 0,
    audit: [{ at: now, by, action: 'set', note: null }],
  };
}

/** Whether both tick at the same times; where an interval began does not count. */
export function ticksAlike(one: ScheduleData, other: ScheduleData): boolean {
  const text = ({ when, start, end }: ScheduleData): string =>
    JSON.stringify([when.kind === 'every' ? when.everyMs : when, start, end]);
  return text(one) === text(other);
}

/** The definition with the anchor of the one before it, where that has the same ticks. */
export function anchoredAs(data: ScheduleData, before: ScheduleData): ScheduleData {
  return ticksAlike(data, before) ? { ...data, when: before.when } : data;
}

function changed(
  value: ScheduleValue,
  { data: given, owner, note, generation }: Extract<Action, { type: 'set' }>,
  now: number,
  cron: CronTicks,
): ScheduleValue {
  const data = anchoredAs(given, value.data);
  const edited = { ...value, data, owner, note, orphanedAt: null };
  if (value.orphanedAt === null && ticksAlike(given, value.data)) return edited;
  return { ...restarted(edited, now, cron), generation };
}

function restarted(value: ScheduleValue, now: number, cron: CronTicks): ScheduleValue {
  return { ...value, next: tickAfter(value.data, now, cron), queued: null };
}

function said({ by, note }: { readonly by: string; readonly note: string | null }) {
  return { by, note };
}

function audited(
  value: ScheduleValue,
  action: { readonly type: ScheduleAudit['action']; readonly by: string; readonly note: string | null },
  now: number,
): ScheduleValue {
  const entry = { at: now, by: action.by, action: action.type, note: action.note };
  return { ...value, audit: [...value.audit, entry].slice(-AUDIT_MAX) };
}
