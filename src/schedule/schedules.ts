import { optionalText, optionInvalid, requireInteger, requireName } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import { knownNames, requireKnown, requireOptions } from '../core/options.ts';
import type { Action } from '../core/schedule/actions.ts';
import { SCHEDULE_STATES, type ScheduleState, type ScheduleValue, TICKS_MAX } from '../core/schedule/data.ts';
import type { Start } from '../core/schedule/draft.ts';
import { tickAfter } from '../core/schedule/ticks.ts';
import type { AnyDeclaration } from '../core/task.ts';
import type { AnyFlow } from '../flow/flow.ts';
import type { Flows } from '../flow/flows.ts';
import type { PlannerMeans } from '../flow/planner.ts';
import type { PlanRecord } from '../store/plans.ts';
import { loadCron } from './cron.ts';
import { type PutMeans, type PutStatus, putSchedules } from './definition.ts';
import { type DecidedSchedule, SCHEDULE_KIND, ScheduleRule, scheduleKey } from './schedule-rule.ts';
import {
  type ScheduleDetail,
  type ScheduleStart,
  type ScheduleView,
  scheduleDetail,
  scheduleView,
  startView,
} from './schedule-view.ts';
import {
  type FlowSchedule,
  requireMoment,
  requireScheduleName,
  type ScheduleSpec,
  type ScheduleTiming,
  type TaskSchedule,
  timingOf,
} from './spec.ts';
import { type UpsertReport, upsertSchedules } from './upsert.ts';

/**
 * Schedules: start jobs of a task, or runs of a flow, at set times. A schedule is a plan that wakes at its next tick
 * (schedule-rule.ts); what a tick does is said by the rule (core/schedule/decide.ts), and carried out by whichever worker
 * looks first. This file is what programs and people do with schedules.
 */
export interface ScheduleListOptions {
  /** Name of a task or flow. */
  readonly target?: string;
  readonly state?: ScheduleState | readonly ScheduleState[];
  /** 1 to 1,000; default 50. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** Who acts and why: kept in the schedule's audit trail. */
export interface ScheduleActionOptions {
  /** 1 to 200 characters; default `api`. */
  readonly by?: string;
  readonly note?: string;
}

/** A span of time: from `from` until just before `to`. */
export interface BackfillOptions extends ScheduleActionOptions {
  readonly from: Date | number;
  readonly to: Date | number;
  /** At most so many ticks, the earliest ones; 1 to 1,000, default 100. */
  readonly max?: number;
}

export interface BackfillReport {
  readonly starts: readonly ScheduleStart[];
  /** Where to go on, if `max` ended it; null when the span is done. */
  readonly nextFrom: number | null;
}

const LIST_OPTIONS = knownNames<ScheduleListOptions>({
  target: true,
  state: true,
  limit: true,
  cursor: true,
});
const SET_OPTIONS = knownNames<Pick<ScheduleActionOptions, 'by'>>({ by: true });
const ACTION_OPTIONS = knownNames<ScheduleActionOptions>({ by: true, note: true });
const BACKFILL_OPTIONS = knownNames<BackfillOptions>({
  from: true,
  to: true,
  max: true,
  by: true,
  note: true,
});
const PREVIEW_OPTIONS = knownNames<{ from?: Date | number }>({ from: true });

/** `longshore.schedules`. */
export class Schedules {
  readonly #means: PutMeans;

  constructor(means: PlannerMeans, { planner, definitions }: Flows) {
    this.#means = { ...means, planner, definitions, rule: new ScheduleRule(means) };
    planner.add(this.#means.rule);
  }

  /**
   * Makes a schedule, or changes the one of this name; one that is the same already stays untouched. A pause stays, too.
   * Resolves when it is stored. Rejects with OPTION_INVALID, TASK_INVALID, FLOW_INVALID, INPUT_INVALID, PAYLOAD_TOO_LARGE.
   */
  async set<T extends AnyDeclaration | string>(
    name: string,
    spec: TaskSchedule<T>,
    options?: Pick<ScheduleActionOptions, 'by'>,
  ): Promise<PutStatus>;
  async set<F extends AnyFlow>(
    name: string,
    spec: FlowSchedule<F>,
    options?: Pick<ScheduleActionOptions, 'by'>,
  ): Promise<PutStatus>;
  async set(
    name: string,
    spec: ScheduleSpec,
    options: Pick<ScheduleActionOptions, 'by'> = {},
  ): Promise<PutStatus> {
    requireKnown('schedules.set', options, SET_OPTIONS);
    const wanted = { name: requireScheduleName(name), spec };
    const done = await putSchedules([wanted], { owner: null, by: said(options).by }, this.#means);
    return done.get(name) as PutStatus;
  }

  /**
   * Brings the schedules of an owner to what its code says: makes and changes them, and disables those of the owner that
   * are not in it. Any number of replicas may do so at a time. Rejects as `set`, and with SCHEDULE_OWNED for a schedule that
   * the code of another owner defines. A time or an end that is over is no error here.
   */
  async upsertAll(owner: string, schedules: Readonly<Record<string, ScheduleSpec>>): Promise<UpsertReport> {
    return upsertSchedules(owner, schedules, this.#means);
  }

  /** Null when there is none of this name. */
  async get(name: string): Promise<ScheduleDetail | null> {
    const plan = await this.#means.store.plan(scheduleKey(requireScheduleName(name)));
    return plan === null ? null : scheduleDetail(plan, this.#means.codec);
  }

  /** Newest first. */
  async list(
    options: ScheduleListOptions = {},
  ): Promise<{ schedules: ScheduleView[]; cursor: string | null }> {
    requireKnown('schedules.list', options, LIST_OPTIONS);
    const { target, state, limit = 50, cursor } = options;
    const states = state === undefined ? undefined : typeof state === 'string' ? [state] : state;
    for (const name of states ?? [])
      if (!SCHEDULE_STATES.includes(name))
        throw optionInvalid('state', name, SCHEDULE_STATES.map((known) => `'${known}'`).join(', '));
    const page = await this.#means.store.listPlans({
      kind: SCHEDULE_KIND,
      limit: requireInteger('limit', limit, 1, 1_000),
      ...(target === undefined ? {} : { label: requireName('target', target) }),
      ...(states === undefined ? {} : { states }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    return { schedules: page.plans.map(scheduleView), cursor: page.cursor };
  }

  /** It ticks no more until it is resumed; ticks meanwhile are not missed ones. Rejects with SCHEDULE_UNKNOWN. */
  async pause(name: string, options: ScheduleActionOptions = {}): Promise<void> {
    requireKnown('schedules.pause', options, ACTION_OPTIONS);
    await this.#act(name, { type: 'pause', ...said(options) });
  }

  /** Goes on with the next tick from now. Rejects with SCHEDULE_UNKNOWN. */
  async resume(name: string, options: ScheduleActionOptions = {}): Promise<void> {
    requireKnown('schedules.resume', options, ACTION_OPTIONS);
    await this.#act(name, { type: 'resume', ...said(options) });
  }

  /** Deletes the schedule; what it started goes on. Resolves to whether there was one. */
  async remove(name: string): Promise<boolean> {
    const key = scheduleKey(requireScheduleName(name));
    const { store } = this.#means;
    for (;;) {
      const plan = await store.plan(key);
      if (plan === null) return false;
      const [receipt] = await store.commit([{ plans: [deletionOf(plan)] }]);
      if (receipt?.status === 'committed') return true;
    }
  }

  /** Starts one now, whatever the schedule's state is. Its ticks go on as before. Rejects with SCHEDULE_UNKNOWN. */
  async runNow(name: string, options: ScheduleActionOptions = {}): Promise<ScheduleStart> {
    requireKnown('schedules.runNow', options, ACTION_OPTIONS);
    const { clock } = this.#means;
    const action = { type: 'run', id: newId(clock.now()), ...said(options) } as const;
    const { value, starts } = await this.#act(name, action);
    const start = starts.find(({ cause }) => cause === 'run') as Start;
    return startView({ ...start, kind: value.data.target.kind }, start.scheduledAt);
  }

  /**
   * Starts one for each tick of a span that is over or to come, at once, whatever `overlap` says; the handler is told the
   * tick's time. To do a span twice starts it twice. Rejects with SCHEDULE_UNKNOWN.
   */
  async backfill(name: string, options: BackfillOptions): Promise<BackfillReport> {
    requireOptions('schedules.backfill', options, BACKFILL_OPTIONS);
    const { from, to, max = 100, ...audit } = options;
    const span = { from: requireMoment('from', from), to: requireMoment('to', to) };
    if (span.to <= span.from) throw optionInvalid('to', to, 'a time after from');
    const count = requireInteger('max', max, 1, TICKS_MAX);
    const id = newId(this.#means.clock.now());
    const { value, starts } = await this.#act(name, {
      type: 'backfill',
      ...span,
      count,
      id,
      ...said(audit),
    });
    const { kind } = value.data.target;
    const made = starts.filter(({ cause }) => cause === 'backfill');
    const last = made.at(-1);
    const next =
      last === undefined || made.length < count
        ? null
        : tickAfter(value.data, last.scheduledAt, await loadCron());
    return {
      starts: made.map((start) => startView({ ...start, kind }, value.audit.at(-1)?.at ?? 0)),
      nextFrom: next === null || next >= span.to ? null : next,
    };
  }

  /** The next ticks, at most `count` (1 to 1,000), of a schedule or of what one could be. Rejects with SCHEDULE_UNKNOWN, OPTION_INVALID. */
  async preview(
    of: string | ScheduleTiming,
    count = 10,
    options: { readonly from?: Date | number } = {},
  ): Promise<number[]> {
    requireKnown('schedules.preview', options, PREVIEW_OPTIONS);
    const { from } = options;
    requireInteger('count', count, 1, TICKS_MAX);
    const cron = await loadCron();
    const now = from === undefined ? Math.floor(this.#means.clock.now()) : requireMoment('from', from);
    const timing = typeof of === 'string' ? (await this.#value(of)).data : await timingOf(of, now);
    const ticks: number[] = [];
    for (let tick = tickAfter(timing, now, cron); tick !== null && ticks.length < count; ) {
      ticks.push(tick);
      tick = tickAfter(timing, tick, cron);
    }
    return ticks;
  }

  async #act(name: string, action: Action): Promise<DecidedSchedule['decision']> {
    const { planner, rule } = this.#means;
    const { decision } = await planner.act(rule, scheduleKey(requireScheduleName(name)), action);
    return decision;
  }

  async #value(name: string): Promise<ScheduleValue> {
    const key = scheduleKey(requireScheduleName(name));
    const plan = await this.#means.store.plan(key);
    if (plan === null) throw this.#means.rule.unknown(key);
    return JSON.parse(plan.value) as ScheduleValue;
  }
}

function said({ by = 'api', note }: ScheduleActionOptions): {
  readonly by: string;
  readonly note: string | null;
} {
  return { by: requireName('by', by), note: optionalText('note', note) };
}

function deletionOf({ key, kind, label, state, version }: PlanRecord) {
  return { key, kind, label, state, version, value: null, wakeAt: null, expiresAt: null };
}
