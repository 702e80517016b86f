import Type, { type Static } from 'typebox';
import { LongshoreError } from '../../core/errors.ts';
import type { ScheduleTiming } from '../../schedule/spec.ts';
import {
  Closed,
  Cursor,
  exactlyOne,
  GivenTime,
  Limit,
  Name,
  Nullable,
  OneOrMore,
  PositiveMs,
  Time,
} from '../forms.ts';
import { type Operation, operation } from '../operation.ts';
import {
  ScheduleForm,
  ScheduleState,
  ScheduleSummaryForm,
  scheduleAnswer,
  scheduleSummary,
} from './schedule-view.ts';

/** Looking at schedules. */
const PAGE_MAX = 200;
const PAGE_DEFAULT = 50;
const TICKS_MAX = 1_000;

export const ScheduleParams = Closed({ name: Name('The name of a schedule') });

export const TIMING = {
  cron: Type.Optional(
    Type.String({ maxLength: 200, description: 'Five fields, six with seconds, or @daily and the like' }),
  ),
  zone: Type.Optional(Type.String({ maxLength: 100, description: 'IANA zone of `cron`; default UTC' })),
  everyMs: Type.Optional(PositiveMs),
  at: Type.Optional(GivenTime),
  start: Type.Optional(GivenTime),
  end: Type.Optional(GivenTime),
};

const Count = Type.Integer({ minimum: 1, maximum: TICKS_MAX, description: 'Ticks; default 10' });
const Ticks = Closed({ ticks: Type.Array(Time) });

const list = operation('GET /schedules', {
  id: 'listSchedules',
  summary: 'Schedules, the newest first',
  role: 'look',
  query: Closed({
    target: Type.Optional(Name('Name of a task or flow')),
    state: Type.Optional(OneOrMore(ScheduleState, 'States, with commas')),
    limit: Type.Optional(Limit(PAGE_MAX, PAGE_DEFAULT)),
    cursor: Type.Optional(Cursor),
  }),
  answers: {
    200: {
      is: 'A page',
      schema: Closed({ schedules: Type.Array(ScheduleSummaryForm), cursor: Nullable(Type.String()) }),
    },
  },
  run: async ({ longshore, query }) => {
    const { schedules, cursor } = await longshore.schedules.list(query);
    return { json: { schedules: schedules.map(scheduleSummary), cursor } };
  },
});

const get = operation('GET /schedules/{name}', {
  id: 'getSchedule',
  summary: 'A schedule with what it starts',
  role: 'look',
  params: ScheduleParams,
  answers: { 200: { is: 'The schedule', schema: ScheduleForm } },
  run: async ({ longshore, params: { name } }) => {
    const schedule = await longshore.schedules.get(name);
    if (schedule === null) throw unknownSchedule(name);
    return { json: scheduleAnswer(schedule) };
  },
});

const ticks = operation('GET /schedules/{name}/ticks', {
  id: 'previewSchedule',
  summary: 'When a schedule ticks next',
  role: 'look',
  params: ScheduleParams,
  query: Closed({ count: Type.Optional(Count), from: Type.Optional(GivenTime) }),
  answers: { 200: { is: 'Times, earliest first', schema: Ticks } },
  run: async ({ longshore, params: { name }, query: { count = 10, from } }) => {
    const times = await longshore.schedules.preview(name, count, from === undefined ? {} : { from });
    return { json: { ticks: times } };
  },
});

const PreviewGiven = Closed(
  { ...TIMING, count: Type.Optional(Count), from: Type.Optional(GivenTime) },
  exactlyOne('cron', 'everyMs', 'at'),
);

const preview = operation('POST /schedule-preview', {
  id: 'previewTiming',
  summary: 'When a schedule of this timing would tick',
  role: 'look',
  body: PreviewGiven,
  answers: { 200: { is: 'Times, earliest first', schema: Ticks } },
  run: async ({ longshore, body }) => {
    const { count = 10, from, ...timing }: Static<typeof PreviewGiven> = body;
    const times = await longshore.schedules.preview(
      timing as ScheduleTiming,
      count,
      from === undefined ? {} : { from },
    );
    return { json: { ticks: times } };
  },
});

export const schedules: readonly Operation[] = [list, get, ticks, preview];

export function unknownSchedule(name: string): LongshoreError {
  return new LongshoreError('SCHEDULE_UNKNOWN', `There is no schedule ${JSON.stringify(name)}.`, {
    details: { name },
  });
}
