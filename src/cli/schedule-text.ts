import { formatDuration } from '../core/duration.ts';
import type { ScheduleDetail, ScheduleView } from '../schedule/schedule-view.ts';
import type { Format } from '../telemetry/terminal.ts';
import type { Column } from './table.ts';
import { absoluteTime, printable, relativeTime } from './text.ts';

/** Schedules for people: a table of many, and all there is to say about one. */
export function scheduleColumns(now: number): Column<ScheduleView>[] {
  return [
    { title: 'SCHEDULE', value: ({ name }) => name, flexible: true },
    { title: 'STATE', value: ({ state }) => state, format: ({ state }) => STATE_FORMATS[state] },
    { title: 'WHEN', value: whenText, flexible: true },
    { title: 'STARTS', value: targetText, flexible: true },
    { title: 'NEXT', value: ({ nextAt }) => (nextAt === null ? '' : relativeTime(nextAt, now)) },
    {
      title: 'LAST',
      value: ({ last }) => (last === null ? '' : relativeTime(last.startedAt, now)),
      optional: 1,
    },
    {
      title: 'ENDED',
      value: ({ lastEnd }) => lastEnd?.state ?? '',
      format: ({ lastEnd }) => (lastEnd?.state === 'failed' ? 'red' : null),
      optional: 2,
    },
    {
      title: 'NOTE',
      value: ({ note, paused }) => paused?.note ?? note ?? '',
      flexible: true,
      optional: 3,
    },
  ];
}

const STATE_FORMATS: Readonly<Record<ScheduleView['state'], Format | null>> = {
  active: 'green',
  paused: 'yellow',
  orphaned: 'yellow',
  ended: 'dim',
};

export function scheduleText(schedule: ScheduleDetail, next: readonly number[]): string {
  const { paused, orphanedAt, last, lastEnd, queuedAt, jitterMs, missed, missedMax } = schedule;
  const lines: [string, string | null][] = [
    ['state', schedule.state],
    ['when', whenText(schedule)],
    ['starts', targetText(schedule)],
    ['input', schedule.input === null ? null : JSON.stringify(schedule.input)],
    ['from', timeText(schedule.start)],
    ['until', timeText(schedule.end)],
    ['overlap', schedule.overlap],
    ['missed', missed === 'all' ? `all, at most ${missedMax}` : missed],
    ['jitter', jitterMs === 0 ? null : formatDuration(jitterMs)],
    ['owner', schedule.owner],
    ['note', schedule.note],
    ['paused', paused === null ? null : `${timeText(paused.at)} by ${paused.by}${noteText(paused.note)}`],
    ['orphaned', orphanedAt === null ? null : `${timeText(orphanedAt)}: its code defines it no more`],
    ['last', last === null ? null : `${timeText(last.startedAt)}, ${last.kind} ${last.id}`],
    ['ended', lastEnd === null ? null : `${timeText(lastEnd.endedAt)}, ${lastEnd.state}`],
    ['running', schedule.live.length === 0 ? null : schedule.live.join(' ')],
    ['waiting', queuedAt === null ? null : `the tick of ${timeText(queuedAt)}`],
    ['started', String(schedule.starts)],
    ['skipped', schedule.skips === 0 ? null : String(schedule.skips)],
  ];
  return [
    printable(schedule.name),
    ...lines.flatMap(([title, text]) => (text === null ? [] : [`  ${title.padEnd(9)}${printable(text)}`])),
    ...(next.length === 0 ? [] : ['next', ...next.map((tick) => `  ${tickText(tick, schedule.zone)}`)]),
    'audit',
    ...schedule.audit.map(
      ({ at, by, action, note }) =>
        `  ${timeText(at)}  ${action} by ${printable(by)}${printable(noteText(note))}`,
    ),
  ].join('\n');
}

/** In the zone of the schedule, and in UTC. */
export function tickText(tick: number, zone: string | null): string {
  const utc = new Date(tick).toISOString().replace('.000Z', 'Z');
  if (zone === null || zone === 'UTC') return utc;
  const local = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    ...{ weekday: 'short', year: 'numeric', month: 'short', day: '2-digit' },
    ...{ hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'shortOffset' },
  }).format(tick);
  return `${utc}  ${local}`;
}

function whenText({ cron, zone, everyMs, at }: ScheduleView): string {
  if (cron !== null) return zone === 'UTC' ? cron : `${cron} (${zone})`;
  return everyMs === null ? `at ${timeText(at)}` : `every ${formatDuration(everyMs)}`;
}

function targetText({ task, flow }: ScheduleView): string {
  return task ?? `flow ${flow}`;
}

function timeText(time: number): string;
function timeText(time: number | null): string | null;
function timeText(time: number | null): string | null {
  return time === null ? null : absoluteTime(time);
}

function noteText(note: string | null): string {
  return note === null ? '' : `: ${note}`;
}
