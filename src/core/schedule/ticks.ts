import type { ScheduleData } from './data.ts';

/**
 * When a schedule ticks. Cron expressions are a library's (src/schedule/cron.ts); intervals, single times and the bounds
 * `start` and `end` are dealt with here.
 */

/** The arithmetic of cron expressions. Times are in ms since the epoch, and strictly after or before the one given. */
export interface CronTicks {
  after(cron: { readonly expression: string; readonly zone: string }, time: number): number | null;
  /** The latest `count`, in ascending order. */
  before(
    cron: { readonly expression: string; readonly zone: string },
    time: number,
    count: number,
  ): readonly number[];
}

export type Timing = Pick<ScheduleData, 'when' | 'start' | 'end'>;

/** The first tick after `time`; null when there is none. */
export function tickAfter(timing: Timing, time: number, cron: CronTicks): number | null {
  const { start, end } = timing;
  const from = start === null ? time : Math.max(time, start - 1);
  const tick = rawAfter(timing, from, cron);
  return tick === null || tick > LAST || (end !== null && tick >= end) ? null : tick;
}

/** The last time that a Date can hold. */
const LAST = 8_640_000_000_000_000;

/** The latest `count` ticks from `first` to `last`, both included, in ascending order. */
export function ticksUpTo(
  timing: Timing,
  { first, last, count }: { readonly first: number; readonly last: number; readonly count: number },
  cron: CronTicks,
): number[] {
  const { when, start, end } = timing;
  const low = Math.max(first, start ?? first);
  const high = end === null ? last : Math.min(last, end - 1);
  return rawBefore(when, high + 1, count, cron).filter((tick) => tick >= low);
}

/** At most `count` ticks from `from`, included, to `to`, excluded, the earliest ones. */
export function ticksFrom(
  timing: Timing,
  { from, to, count }: { readonly from: number; readonly to: number; readonly count: number },
  cron: CronTicks,
): number[] {
  const ticks: number[] = [];
  for (let tick = tickAfter(timing, from - 1, cron); tick !== null && tick < to && ticks.length < count; ) {
    ticks.push(tick);
    tick = tickAfter(timing, tick, cron);
  }
  return ticks;
}

function rawAfter({ when, start }: Timing, time: number, cron: CronTicks): number | null {
  if (when.kind === 'cron') return cron.after(when, time);
  if (when.kind === 'at') return when.at > time ? when.at : null;
  const { anchor, everyMs } = when;
  // Without a start, the first tick comes one interval after the schedule was set.
  const least = anchor + (start === null ? everyMs : 0);
  return Math.max(least, anchor + (Math.floor((time - anchor) / everyMs) + 1) * everyMs);
}

function rawBefore(when: Timing['when'], time: number, count: number, cron: CronTicks): readonly number[] {
  if (when.kind === 'cron') return cron.before(when, time, count);
  if (when.kind === 'at') return when.at < time ? [when.at] : [];
  const { anchor, everyMs } = when;
  const last = Math.ceil((time - anchor) / everyMs) - 1;
  const ticks: number[] = [];
  for (let index = Math.max(0, last - count + 1); index <= last; index += 1)
    ticks.push(anchor + index * everyMs);
  return ticks;
}

/** From 0 up to `jitterMs`, always the same for a tick: how much later its job starts. */
export function jitterOf(name: string, tick: number, jitterMs: number): number {
  if (jitterMs === 0) return 0;
  // FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv), mixed once more, since its low bits follow the last characters.
  let hash = 0x811c9dc5;
  for (const character of `${name}\u001f${tick}`)
    hash = Math.imul(hash ^ (character.codePointAt(0) as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return Math.floor((((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32) * jitterMs);
}
