import Type from 'typebox';
import type { FlowSchedule, TaskSchedule } from '../../schedule/spec.ts';
import {
  Closed,
  exactlyOne,
  GivenTime,
  MetaGiven,
  Ms,
  Name,
  Nullable,
  Payload,
  PriorityGiven,
  Queue,
  Task,
  Time,
  Why,
} from '../forms.ts';
import { type Operation, operation } from '../operation.ts';
import type { Caller } from '../roles.ts';
import { taskOf } from './job-creation.ts';
import { flowOf } from './runs.ts';
import { Missed, Overlap, StartForm } from './schedule-view.ts';
import { ScheduleParams, TIMING, unknownSchedule } from './schedules.ts';

/** Acting on schedules. */
const Done = Closed({ name: Type.String(), done: Type.Literal(true) });
const Note = Closed({ note: Type.Optional(Why) });

const SpecGiven = Closed(
  {
    ...TIMING,
    task: Type.Optional(Task),
    flow: Type.Optional(Name('The name of a flow that this server knows; instead of `task`')),
    input: Type.Optional(Payload),
    queue: Type.Optional(Queue),
    priority: Type.Optional(PriorityGiven),
    attempts: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
    key: Type.Optional(Name('Whose turn the jobs take')),
    meta: Type.Optional(MetaGiven),
    jitterMs: Type.Optional(Ms),
    overlap: Type.Optional(Overlap),
    missed: Type.Optional(Missed),
    missedMax: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
    note: Type.Optional(Why),
  },
  {
    ...exactlyOne('task', 'flow'),
    allOf: [{ oneOf: exactlyOne('cron', 'everyMs', 'at').oneOf }],
    description: 'Exactly one of task and flow, and exactly one of cron, everyMs and at must be given',
  },
);

const set = operation('PUT /schedules/{name}', {
  id: 'setSchedule',
  summary: 'Makes or changes a schedule',
  role: 'administer',
  params: ScheduleParams,
  body: SpecGiven,
  answers: {
    200: {
      is: 'It is so',
      schema: Closed({ name: Type.String(), status: Type.Enum(['created', 'changed', 'unchanged']) }),
    },
  },
  async run({ longshore, settings, params: { name }, body: { task, flow, ...rest }, caller }) {
    const target = {
      ...(task === undefined ? {} : { task: taskOf(task, settings) }),
      ...(flow === undefined ? {} : { flow: flowOf(flow, settings) }),
    };
    const spec = { ...rest, ...target } as TaskSchedule & FlowSchedule;
    return { json: { name, status: await longshore.schedules.set(name, spec, { by: caller.name }) } };
  },
});

const pause = operation('POST /schedules/{name}/pause', {
  id: 'pauseSchedule',
  summary: 'It ticks no more until it is resumed',
  role: 'act',
  params: ScheduleParams,
  body: Note,
  bodyOptional: true,
  answers: { 200: { is: 'Done', schema: Done } },
  run: async ({ longshore, params: { name }, body, caller }) => {
    await longshore.schedules.pause(name, noteOf(caller, body));
    return { json: { name, done: true } };
  },
});

const resume = operation('POST /schedules/{name}/resume', {
  id: 'resumeSchedule',
  summary: 'Goes on with the next tick from now',
  role: 'act',
  params: ScheduleParams,
  body: Note,
  bodyOptional: true,
  answers: { 200: { is: 'Done', schema: Done } },
  run: async ({ longshore, params: { name }, body, caller }) => {
    await longshore.schedules.resume(name, noteOf(caller, body));
    return { json: { name, done: true } };
  },
});

const runNow = operation('POST /schedules/{name}/run', {
  id: 'runSchedule',
  summary: 'Starts one now, whatever its state is; its ticks go on as before',
  role: 'act',
  params: ScheduleParams,
  body: Note,
  bodyOptional: true,
  answers: { 200: { is: 'What was started', schema: StartForm } },
  run: async ({ longshore, params: { name }, body, caller }) => {
    const { id, kind, scheduledAt, startedAt } = await longshore.schedules.runNow(name, noteOf(caller, body));
    return { json: { id, kind, scheduledAt: Number(scheduledAt), startedAt: Number(startedAt) } };
  },
});

const backfill = operation('POST /schedules/{name}/backfill', {
  id: 'backfillSchedule',
  summary: 'Starts one for each tick of a span of time',
  role: 'administer',
  params: ScheduleParams,
  body: Closed({
    from: GivenTime,
    to: GivenTime,
    max: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
    note: Type.Optional(Why),
  }),
  answers: {
    200: {
      is: 'What was started',
      schema: Closed({ starts: Type.Array(StartForm), nextFrom: Nullable(Time) }),
    },
  },
  run: async ({ longshore, params: { name }, body: { from, to, max, note }, caller }) => {
    const span = { from, to, ...(max === undefined ? {} : { max }), ...noteOf(caller, { note }) };
    const { starts, nextFrom } = await longshore.schedules.backfill(name, span);
    const shown = starts.map(({ id, kind, scheduledAt, startedAt }) => ({
      ...{ id, kind, scheduledAt: Number(scheduledAt), startedAt: Number(startedAt) },
    }));
    return { json: { starts: shown, nextFrom: nextFrom === null ? null : Number(nextFrom) } };
  },
});

const remove = operation('DELETE /schedules/{name}', {
  id: 'removeSchedule',
  summary: 'Deletes a schedule; what it started goes on',
  role: 'administer',
  params: ScheduleParams,
  answers: { 200: { is: 'Done', schema: Done } },
  run: async ({ longshore, params: { name } }) => {
    if (!(await longshore.schedules.remove(name))) throw unknownSchedule(name);
    return { json: { name, done: true } };
  },
});

function noteOf({ name }: Caller, { note }: { readonly note?: string | undefined }) {
  return { by: name, ...(note === undefined ? {} : { note }) };
}

export const scheduleActions: readonly Operation[] = [set, pause, resume, runNow, backfill, remove];
