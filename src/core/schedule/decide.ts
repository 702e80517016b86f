import { type Action, applyAction } from './actions.ts';
import { type Live, type ScheduleState, type ScheduleValue, stateOf, TICKS_MAX } from './data.ts';
import { type Draft, type IdOf, type Skipped, type Start, start } from './draft.ts';
import { type CronTicks, tickAfter, ticksUpTo } from './ticks.ts';

/**
 * The rule of schedules: from a schedule, the ends of its jobs that were reported, an action by hand and the time, to its
 * next value and what to start. Pure. The caller commits both as one, on condition that the schedule is still what was
 * read, so that a tick starts one job, however many workers look.
 */
export interface ScheduleInput {
  readonly value: ScheduleValue;
  readonly now: number;
  readonly cron: CronTicks;
  readonly reports?: readonly ScheduleReport[];
  readonly action?: Action;
  readonly idOf: IdOf;
}

export interface ScheduleReport {
  readonly as: string;
  readonly state: string;
  readonly at: number;
}

export interface ScheduleDecision {
  readonly value: ScheduleValue;
  readonly state: ScheduleState;
  /** When to decide again; null = not before something is reported or done by hand. */
  readonly wakeAt: number | null;
  readonly starts: readonly Start[];
  /** To be asked to stop, after the commit. */
  readonly stops: readonly Live[];
  readonly skipped: readonly Skipped[];
}

/** A tick that is no later than this is on time: workers may have been restarted, or their leader have changed. */
export const ON_TIME_MS = 60_000;

/** A stop is asked for again after so long. */
const STOP_AGAIN_MS = 30_000;

export function decideSchedule(input: ScheduleInput): ScheduleDecision {
  const { now, action } = input;
  const draft: Draft = { value: input.value, starts: [], stops: [], skipped: [], given: input };
  takeReports(draft, input.reports ?? []);
  if (action !== undefined) applyAction(draft, action);
  if (isOpen(draft)) {
    release(draft);
    for (const tick of takeTicks(draft)) offer(draft, tick);
    release(draft);
  }
  askToStop(draft);
  const state = stateOf(draft.value);
  const { value, starts, stops, skipped } = draft;
  return { value, state, wakeAt: wakeAtOf(value, state, now), starts, stops, skipped };
}

function takeReports(draft: Draft, reports: readonly ScheduleReport[]): void {
  for (const { as, state, at } of reports) {
    const { live } = draft.value;
    const ended = live.find((one) => one.as === as);
    if (ended === undefined) continue;
    draft.value = {
      ...draft.value,
      live: live.filter((one) => one !== ended),
      lastEnd: { scheduledAt: ended.scheduledAt, at, state },
    };
  }
}

function isOpen({ value }: Draft): boolean {
  return value.paused === null && value.orphanedAt === null;
}

/** The ticks that have come and are to start something, in order. The schedule goes on after them. */
function takeTicks(draft: Draft): number[] {
  const { now, cron } = draft.given;
  const { data, next } = draft.value;
  if (next === null || next > now) return [];
  const ticks = now - next > ON_TIME_MS ? missedTicks(draft, next) : onTimeTicks(draft, next);
  const last = ticks.at(-1);
  const full = now - next <= ON_TIME_MS && ticks.length === TICKS_MAX;
  draft.value = { ...draft.value, next: tickAfter(data, full ? (last as number) : now, cron) };
  return ticks;
}

function onTimeTicks({ value: { data }, given: { now, cron } }: Draft, first: number): number[] {
  const ticks: number[] = [];
  for (let tick: number | null = first; tick !== null && tick <= now && ticks.length < TICKS_MAX; ) {
    ticks.push(tick);
    tick = tickAfter(data, tick, cron);
  }
  return ticks;
}

/** Nobody looked for longer than a restart takes: what happens is what `missed` says. */
function missedTicks(draft: Draft, first: number): number[] {
  const { value, given } = draft;
  const { data } = value;
  const { now, cron } = given;
  const count = data.missed === 'all' ? data.missedMax : 1;
  // One more, to know the last one that is left out.
  const latest = ticksUpTo(data, { first, last: now, count: count + 1 }, cron);
  const chosen = latest.slice(-count).filter((tick) => data.missed !== 'skip' || now - tick <= ON_TIME_MS);
  const skippedTo = latest.filter((tick) => !chosen.includes(tick)).at(-1);
  if (skippedTo !== undefined) draft.skipped.push({ from: first, to: skippedTo, reason: 'missed' });
  return chosen;
}

function offer(draft: Draft, tick: number): void {
  const { value } = draft;
  const { overlap } = value.data;
  const isFree = value.live.length === 0 && value.queued === null;
  if (overlap === 'allow' || isFree) start(draft, tick, 'tick', tickRef(value, tick));
  else if (overlap === 'skip' || (overlap === 'queue' && value.queued !== null)) skip(draft, tick);
  else {
    // The newest one is what follows a job that is cancelled.
    if (value.queued !== null) skip(draft, value.queued);
    draft.value = { ...draft.value, queued: tick };
  }
}

/** The tick that waited starts when nothing is live. */
function release(draft: Draft): void {
  const { live, queued, data } = draft.value;
  if (queued === null || (live.length > 0 && data.overlap !== 'allow')) return;
  draft.value = { ...draft.value, queued: null };
  start(draft, queued, 'tick', tickRef(draft.value, queued));
}

function skip(draft: Draft, tick: number): void {
  draft.skipped.push({ from: tick, to: tick, reason: 'overlap' });
  draft.value = { ...draft.value, skips: draft.value.skips + 1 };
}

function askToStop(draft: Draft): void {
  const { value, given } = draft;
  if (value.data.overlap !== 'cancel' || value.queued === null) return;
  const live = value.live.map((one): Live => {
    if (one.stopAt !== undefined && one.stopAt + STOP_AGAIN_MS > given.now) return one;
    draft.stops.push(one);
    return { ...one, stopAt: given.now };
  });
  draft.value = { ...value, live };
}

function tickRef({ generation }: ScheduleValue, tick: number): string {
  return `${generation}:${tick}`;
}

function wakeAtOf({ next, live, queued }: ScheduleValue, state: ScheduleState, now: number): number | null {
  const ticks = state === 'active' ? next : null;
  if (queued === null || !live.some(({ stopAt }) => stopAt !== undefined)) return ticks;
  return Math.min(ticks ?? Number.POSITIVE_INFINITY, now + STOP_AGAIN_MS);
}
