import { LongshoreError } from '../core/errors.ts';
import { tickMeta } from '../core/meta.ts';
import { inputOf, type PayloadCodec, type PayloadPlace } from '../core/payload.ts';
import { planRefText } from '../core/plan.ts';
import type { Action } from '../core/schedule/actions.ts';
import {
  type Live,
  type ScheduleState,
  type ScheduleValue,
  stateOf,
  type Target,
} from '../core/schedule/data.ts';
import { decideSchedule, type ScheduleDecision } from '../core/schedule/decide.ts';
import type { Start } from '../core/schedule/draft.ts';
import { SCHEDULE_KIND } from '../core/schedule/kind.ts';
import { partId } from '../flow/part-id.ts';
import { type Decided, NO_STOPS, type PlanRule, type Stops } from '../flow/plan-rule.ts';
import { moved, runPlace } from '../flow/run-payload.ts';
import { newRunChange, runCancel, runKey } from '../flow/run-plan.ts';
import type { DuePlan, PlanChange } from '../store/plans.ts';
import type { JobCommand, JobSpec } from '../store/store.ts';
import type { EventBus } from '../telemetry/events.ts';
import { loadCron } from './cron.ts';
import { schedulePlace } from './spec.ts';

/**
 * Between the rule of schedules and the store: a schedule as a plan, which wakes at its next tick, and what the rule decided
 * as a unit to commit. The tick and what it starts are one commit.
 */
export { SCHEDULE_KIND };

export function scheduleKey(name: string): string {
  return `${SCHEDULE_KIND}/${name}`;
}

export interface DecidedSchedule extends Decided {
  readonly decision: ScheduleDecision;
}

interface Means {
  readonly events: EventBus;
  readonly codec: PayloadCodec;
}

export class ScheduleRule implements PlanRule<DecidedSchedule> {
  readonly kind = SCHEDULE_KIND;
  readonly #means: Means;

  constructor(means: Means) {
    this.#means = means;
  }

  async decide(plan: DuePlan, now: number, action?: unknown): Promise<DecidedSchedule> {
    const decision = decideSchedule({
      value: JSON.parse(plan.value) as ScheduleValue,
      now: Math.floor(now),
      cron: await loadCron(),
      reports: plan.reports,
      ...(action === undefined ? {} : { action: action as Action }),
      idOf: (as, time) => partId({ plan: plan.key, as }, time),
    });
    return {
      ...decidedOf({ plan, decision, now, codec: this.#means.codec }),
      tell: () => this.#tell(decision),
    };
  }

  unknown(key: string): LongshoreError {
    const name = key.slice(scheduleKey('').length);
    return new LongshoreError('SCHEDULE_UNKNOWN', `There is no schedule '${name}'.`, { details: { name } });
  }

  #tell({ value, starts, skipped }: ScheduleDecision): void {
    const of = { schedule: value.name, target: labelOf(value.data.target) };
    const { events } = this.#means;
    if (events.wants('schedule.ticked'))
      for (const { id, scheduledAt, cause } of starts) {
        const lateMs = cause === 'backfill' ? 0 : Math.max(0, (value.last?.startedAt ?? 0) - scheduledAt);
        events.emit('schedule.ticked', { ...of, id, scheduledAt, lateMs, cause });
      }
    if (events.wants('schedule.skipped'))
      for (const one of skipped) events.emit('schedule.skipped', { ...of, ...one });
  }
}

export function labelOf(target: Target): string {
  return target.kind === 'task' ? target.task : target.flow;
}

/** A schedule that begins: a plan that must not exist yet. */
export function planOfNewSchedule(value: ScheduleValue, now: number): DuePlan {
  const state = stateOf(value);
  return {
    key: scheduleKey(value.name),
    kind: SCHEDULE_KIND,
    label: labelOf(value.data.target),
    state,
    version: 0,
    value: JSON.stringify(value),
    wakeAt: value.next,
    expiresAt: expiryOf(value, state, now),
    createdAt: now,
    updatedAt: now,
    kept: {},
    reports: [],
    more: false,
  };
}

export function decidedNew({ key, kind, label, state, version, value, wakeAt, expiresAt }: DuePlan): Decided {
  const plans = [{ key, kind, label, state, version, value, wakeAt, expiresAt }];
  return { unit: { plans }, wakeAt, follow: [], stops: NO_STOPS, tell: () => {} };
}

interface Deciding {
  readonly plan: DuePlan;
  readonly decision: ScheduleDecision;
  readonly now: number;
  readonly codec: PayloadCodec;
}

function decidedOf(deciding: Deciding): Omit<DecidedSchedule, 'tell'> {
  const { plan, decision, now } = deciding;
  const { value, starts, wakeAt } = decision;
  const { target } = value.data;
  const runs = target.kind === 'flow' ? starts.map((start) => runOf(target, start, deciding)) : [];
  const jobs = target.kind === 'task' ? starts.map((start) => jobOf(target, start, deciding)) : [];
  return {
    unit: { plans: [changeOf(plan, decision, now), ...runs], enqueue: jobs },
    decision,
    wakeAt,
    follow: runs.filter((run) => (run.wakeAt ?? 0) <= now).map(({ key }) => key),
    stops: decision.stops.length === 0 ? NO_STOPS : stopsOf(value, decision.stops),
  };
}

function changeOf(plan: DuePlan, { value, state, wakeAt }: ScheduleDecision, now: number): PlanChange {
  return {
    key: plan.key,
    kind: SCHEDULE_KIND,
    label: labelOf(value.data.target),
    state,
    version: plan.version,
    value: JSON.stringify(value),
    wakeAt,
    expiresAt: expiryOf(value, state, now),
    taken: plan.reports.map(({ no }) => no),
  };
}

/** How long a schedule that ticked its only time by hand is still shown. One from code stays: it must not tick again. */
const ENDED_KEPT_MS = 7 * 86_400_000;

function expiryOf(value: ScheduleValue, state: ScheduleState, now: number): number | null {
  const isOver = state === 'ended' && value.owner === null && value.data.when.kind === 'at';
  return isOver ? now + ENDED_KEPT_MS : null;
}

function jobOf(target: Extract<Target, { kind: 'task' }>, start: Start, deciding: Deciding): JobSpec {
  const { kind: _, meta, ...spec } = target;
  const { id, dueAt } = start;
  const plan = reportsTo(start, deciding);
  return {
    ...spec,
    id,
    input: inputFor(deciding, target, inputOf({ task: target.task, id })),
    delayMs: 0,
    dueAt: dueAt > deciding.now ? dueAt : null,
    unique: null,
    meta: JSON.stringify({ ...metaOf(meta, start, deciding), ...(plan === null ? {} : { plan }) }),
  };
}

function runOf(target: Extract<Target, { kind: 'flow' }>, start: Start, deciding: Deciding): PlanChange {
  const { flow, version } = target;
  const { id, dueAt } = start;
  const run = {
    ...{ id, flow, version },
    input: inputFor(deciding, target, runPlace(id)),
    parent: reportsTo(start, deciding),
    meta: JSON.stringify(metaOf(target.meta, start, deciding)),
  };
  return newRunChange(run, { startedAt: Math.floor(deciding.now), wakeAt: dueAt });
}

/** The schedule's input, sealed for what is started. */
function inputFor({ decision, codec }: Deciding, { input }: Target, to: PayloadPlace): string | null {
  const { name } = decision.value;
  return moved(codec, input, { from: schedulePlace(name), to, what: `the input of schedule '${name}'` });
}

function metaOf(meta: string | null, { scheduledAt }: Start, { decision }: Deciding): object {
  return tickMeta(meta, { schedule: decision.value.name, scheduledAt });
}

/** The schedule does not ask how a backfilled one ends. */
function reportsTo({ as, cause }: Start, { plan }: Deciding): string | null {
  return cause === 'backfill' ? null : planRefText({ plan: plan.key, as });
}

function stopsOf({ name }: ScheduleValue, live: readonly Live[]): Stops {
  const why = `schedule '${name}': its next tick has come, and overlap is 'cancel'`;
  const idsOf = (wanted: Live['kind']) => live.flatMap(({ id, kind }) => (kind === wanted ? [id] : []));
  return {
    jobs: idsOf('task').map((id): JobCommand => ({ type: 'cancel', id, by: 'schedule', why })),
    reports: idsOf('flow').map((id) => runCancel(runKey(id))),
  };
}
