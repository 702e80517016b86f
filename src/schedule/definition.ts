import { LongshoreError, optionalText, optionInvalid } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import type { PayloadCodec } from '../core/payload.ts';
import { type Action, anchoredAs, newSchedule } from '../core/schedule/actions.ts';
import type { ScheduleData, ScheduleValue } from '../core/schedule/data.ts';
import { tickAfter } from '../core/schedule/ticks.ts';
import { sortedJson } from '../core/unique.ts';
import type { Definitions } from '../flow/definitions.ts';
import type { Decided } from '../flow/plan-rule.ts';
import type { Planner, PlannerMeans } from '../flow/planner.ts';
import type { DuePlan } from '../store/plans.ts';
import { loadCron } from './cron.ts';
import { decidedNew, planOfNewSchedule, type ScheduleRule, scheduleKey } from './schedule-rule.ts';
import { type FlowSchedule, namingSchedule, type ScheduleSpec, scheduleData, schedulePlace } from './spec.ts';

/**
 * Brings schedules to what is asked for: makes those that are not there, changes those that are otherwise, and leaves the
 * others alone, so that any number of replicas may say the same at a time.
 */
export interface Wanted {
  readonly name: string;
  readonly spec: ScheduleSpec;
}

export interface PutOptions {
  /** Whose code says so; null: by hand, which leaves the owner as it is. */
  readonly owner: string | null;
  readonly by: string;
}

export type PutStatus = 'created' | 'changed' | 'unchanged';

export interface PutMeans extends PlannerMeans {
  readonly planner: Planner;
  readonly rule: ScheduleRule;
  readonly definitions: Definitions;
}

/** Schedules of one exchange. */
const PAGE = 100;
const TRIES_MAX = 50;

/** How each one ended up, by name. Rejects with what spec.ts throws, and SCHEDULE_OWNED. */
export async function putSchedules(
  wanted: readonly Wanted[],
  options: PutOptions,
  means: PutMeans,
): Promise<Map<string, PutStatus>> {
  const done = new Map<string, PutStatus>();
  const ready = await Promise.all(wanted.map((one) => checked(one, options, means)));
  for (let from = 0; from < ready.length; from += PAGE) {
    let left = ready.slice(from, from + PAGE);
    for (let tries = 0; left.length > 0; tries += 1) {
      if (tries === TRIES_MAX)
        throw new LongshoreError(
          'STORE_BUSY',
          `Schedule '${left[0]?.name}' changed ${TRIES_MAX} times while it was to be set; try again.`,
          { details: { name: left[0]?.name } },
        );
      left = await putPage(left, options, { ...means, done });
    }
  }
  return done;
}

interface Ready {
  readonly name: string;
  readonly data: ScheduleData;
  readonly note: string | null;
}

async function checked({ name, spec }: Wanted, { owner }: PutOptions, means: PutMeans): Promise<Ready> {
  try {
    const data = await scheduleData({ name, spec }, Math.floor(means.clock.now()), means);
    if ('flow' in spec) await means.definitions.put((spec as FlowSchedule).flow);
    return { name, data, note: optionalText('note', spec.note) };
  } catch (error) {
    throw owner === null ? error : namingSchedule(name, error);
  }
}

/** Returns those that others changed meanwhile. */
async function putPage(
  page: readonly Ready[],
  options: PutOptions,
  { done, ...means }: PutMeans & { readonly done: Map<string, PutStatus> },
): Promise<Ready[]> {
  const { store, planner } = means;
  const keys = page.map(({ name }) => scheduleKey(name));
  const { now, plans } = await store.duePlans({ keys, limit: keys.length });
  const found = new Map(plans.map((plan) => [plan.key, plan]));
  const orders: {
    readonly one: Ready;
    readonly plan: DuePlan;
    readonly decided: Decided;
    readonly status: PutStatus;
  }[] = [];
  for (const one of page) {
    const plan = found.get(scheduleKey(one.name));
    const order =
      plan === undefined
        ? await created(one, options, now)
        : await changed(one, options, { plan, now, means });
    if (order === null) done.set(one.name, 'unchanged');
    else orders.push({ one, ...order });
  }
  if (orders.length === 0) return [];
  const receipts = await planner.commit(
    orders.map(({ decided }) => decided),
    orders.map(({ plan }) => plan),
  );
  return orders.flatMap(({ one, status }, index) => {
    if (receipts[index]?.status !== 'committed') return [one];
    done.set(one.name, status);
    return [];
  });
}

async function created({ name, data, note }: Ready, { owner, by }: PutOptions, now: number) {
  const cron = await loadCron();
  const action = setAction({ data, note, owner, by }, now);
  const value = newSchedule(name, action, Math.floor(now), cron);
  if (owner === null) requireTick(data, value.next);
  const plan = planOfNewSchedule(value, now);
  return { plan, decided: decidedNew(plan), status: 'created' } as const;
}

/** Null where it is what is asked for already. */
async function changed(
  { name, data, note }: Ready,
  { owner, by }: PutOptions,
  { plan, now, means }: { readonly plan: DuePlan; readonly now: number; readonly means: PutMeans },
) {
  const value = JSON.parse(plan.value) as ScheduleValue;
  if (owner !== null && value.owner !== null && value.owner !== owner) throw owned(name, value.owner, owner);
  const kept = { data, note, owner: owner ?? value.owner, by };
  if (isSame(value, kept, means.codec)) return null;
  if (owner === null) requireTick(data, tickAfter(data, Math.floor(now), await loadCron()));
  const decided = await means.rule.decide(plan, now, setAction(kept, now));
  return { plan, decided, status: 'changed' } as const;
}

function setAction(
  given: Pick<Extract<Action, { type: 'set' }>, 'data' | 'note' | 'owner' | 'by'>,
  now: number,
): Extract<Action, { type: 'set' }> {
  return { type: 'set', ...given, generation: newId(now) };
}

/** In a deploy such a schedule has done its work; by hand it is a mistake. */
function requireTick({ when, end }: ScheduleData, next: number | null): void {
  if (next !== null) return;
  if (when.kind === 'at')
    throw optionInvalid('at', new Date(when.at).toISOString(), 'a time to come, and within start and end');
  throw optionInvalid(
    'end',
    end === null ? null : new Date(end).toISOString(),
    'a time with a tick before it',
  );
}

function isSame(
  value: ScheduleValue,
  {
    data,
    note,
    owner,
  }: { readonly data: ScheduleData; readonly note: string | null; readonly owner: string | null },
  codec: PayloadCodec,
): boolean {
  if (value.orphanedAt !== null || value.owner !== owner || value.note !== note) return false;
  const text = (one: ScheduleData): string => sortedJson({ ...one, target: { ...one.target, input: null } });
  return (
    text(anchoredAs(data, value.data)) === text(value.data) &&
    hasSameInput(value.name, data, value.data, codec)
  );
}

/** By what was encoded: with encryption the same input is another text each time. */
function hasSameInput(name: string, one: ScheduleData, other: ScheduleData, codec: PayloadCodec): boolean {
  const read = ({ target }: ScheduleData): string =>
    sortedJson(codec.decode(target.input, schedulePlace(name), 'the input of a schedule'));
  try {
    return one.target.input === other.target.input || read(one) === read(other);
  } catch {
    return false;
  }
}

function owned(name: string, owner: string, asker: string): LongshoreError {
  return new LongshoreError(
    'SCHEDULE_OWNED',
    `Schedule '${name}' is defined by the code of owner '${owner}', and '${asker}' defines another one; give one of them another name, or remove the schedule.`,
    { details: { name, owner, asker } },
  );
}
