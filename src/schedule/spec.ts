import type { Clock } from '../core/clock.ts';
import {
  LongshoreError,
  optionInvalid,
  requireInteger,
  requireMs,
  requireName,
  show,
} from '../core/errors.ts';
import { encodeMeta, type JobMeta } from '../core/meta.ts';
import { knownNames, requireOptions } from '../core/options.ts';
import { inputOf, type PayloadCodec, type PayloadPlace } from '../core/payload.ts';
import {
  MISSED,
  MISSED_MAX_DEFAULT,
  type Missed,
  OVERLAPS,
  type Overlap,
  type ScheduleData,
  type Target,
  TICKS_MAX,
  type When,
} from '../core/schedule/data.ts';
import type { AnyDeclaration } from '../core/task.ts';
import type { AnyFlow, FlowGiven } from '../flow/flow.ts';
import { flowInput, requireFlow } from '../flow/flow-input.ts';
import { moved } from '../flow/run-payload.ts';
import { type EnqueueOptions, type InputOf, JobSpecs, requireTime } from '../queue/enqueue.ts';
import { loadCron, requireZone } from './cron.ts';

/** What is given to `schedules.set`, and its way to the data of a schedule: all bad input is refused here. */

/** When a schedule ticks: one of `cron`, `everyMs` and `at`. */
export interface ScheduleTiming {
  /** Five fields, six with seconds first, or a name such as `@daily`. */
  readonly cron?: string;
  /** IANA zone that the cron expression is read in; default `UTC`, whatever the host's is. */
  readonly zone?: string;
  /** First tick at `start`, or one interval after the schedule was set. */
  readonly everyMs?: number;
  /** Once. */
  readonly at?: Date | number;
  /** No tick before it. */
  readonly start?: Date | number;
  /** No tick at it or after it. */
  readonly end?: Date | number;
}

export interface ScheduleBehaviour {
  /** Spreads starts: each is later than its tick by up to so much, always by the same for a tick; default 0. */
  readonly jitterMs?: number;
  /**
   * What a tick does while the job before it has not ended. `allow`, the default: starts another one, as job queues do.
   * `skip`: nothing. `queue`: starts one when that has ended. `cancel`: the same, and asks that one to stop.
   */
  readonly overlap?: Overlap;
  /**
   * What becomes of ticks that are more than a minute late, since no worker ran. `once`, the default: one job for all of
   * them, with the time of the latest. `skip`: none. `all`: one each, for the latest `missedMax`.
   */
  readonly missed?: Missed;
  /** 1 to 1,000; default 100. */
  readonly missedMax?: number;
  /** For people. */
  readonly note?: string;
}

type ScheduledJobOptions = Pick<
  EnqueueOptions,
  'queue' | 'priority' | 'attempts' | 'key' | 'meta' | 'backoff' | 'timeoutMs'
>;

/** The input may be left out where `undefined` is one. */
type Given<Input> = undefined extends Input ? { readonly input?: Input } : { readonly input: Input };

/** Ticks start jobs of a task, which may be known by its name alone: then the input is not checked. */
export type TaskSchedule<T extends AnyDeclaration | string = AnyDeclaration | string> = ScheduleTiming &
  ScheduleBehaviour &
  ScheduledJobOptions & { readonly task: T } & Given<InputOf<T>>;

/** Ticks start runs of a flow, by the definition it has when the schedule is set. */
export type FlowSchedule<F extends AnyFlow = AnyFlow> = ScheduleTiming &
  ScheduleBehaviour & { readonly flow: F; readonly meta?: JobMeta } & Given<FlowGiven<F>>;

export type ScheduleSpec = TaskSchedule | FlowSchedule;

export interface SpecMeans {
  readonly codec: PayloadCodec;
  readonly clock: Clock;
}

const TIMING_FIELDS = ['cron', 'everyMs', 'at'] as const;

const TIMING = { cron: true, zone: true, everyMs: true, at: true, start: true, end: true } as const;
const BEHAVIOUR = { jitterMs: true, overlap: true, missed: true, missedMax: true, note: true } as const;
const OF_JOBS = {
  queue: true,
  priority: true,
  attempts: true,
  key: true,
  backoff: true,
  timeoutMs: true,
} as const;
const TASK_SPEC = knownNames<TaskSchedule>({
  task: true,
  input: true,
  meta: true,
  ...{ ...TIMING, ...BEHAVIOUR, ...OF_JOBS },
});
const FLOW_SPEC = knownNames<FlowSchedule>({ flow: true, input: true, meta: true, ...TIMING, ...BEHAVIOUR });

/** Throws OPTION_INVALID, TASK_INVALID, INPUT_INVALID, PAYLOAD_TOO_LARGE, PAYLOAD_NOT_JSON. */
export async function scheduleData(
  { name, spec }: { readonly name: string; readonly spec: ScheduleSpec },
  now: number,
  means: SpecMeans,
): Promise<ScheduleData> {
  const isFlow = typeof spec === 'object' && spec !== null && 'flow' in spec;
  if (isFlow && 'task' in spec) throw optionInvalid('a schedule', spec, 'one of task and flow; it has both');
  requireOptions('a schedule', spec, isFlow ? FLOW_SPEC : TASK_SPEC);
  const { jitterMs = 0, overlap = 'allow', missed = 'once', missedMax = MISSED_MAX_DEFAULT } = spec;
  return {
    ...(await timingOf(spec, now)),
    jitterMs: requireMs('jitterMs', jitterMs),
    overlap: requireOneOf('overlap', overlap, OVERLAPS),
    missed: requireOneOf('missed', missed, MISSED),
    missedMax: requireInteger('missedMax', missedMax, 1, TICKS_MAX),
    target: isFlow
      ? await flowTarget(name, spec, means)
      : await taskTarget(name, spec as TaskSchedule, means),
  };
}

/** Throws OPTION_INVALID. */
export async function timingOf(
  spec: ScheduleTiming,
  now: number,
): Promise<Pick<ScheduleData, 'when' | 'start' | 'end'>> {
  const given = TIMING_FIELDS.filter((field) => spec[field] !== undefined);
  if (given.length !== 1)
    throw optionInvalid(
      'a schedule',
      spec,
      `exactly one of cron, everyMs and at; it has ${given.length === 0 ? 'none' : given.join(' and ')}`,
    );
  if (spec.zone !== undefined && spec.cron === undefined)
    throw optionInvalid('zone', spec.zone, 'to be left out: only a cron expression is read in a zone');
  const start = spec.start === undefined ? null : requireMoment('start', spec.start);
  const end = spec.end === undefined ? null : requireMoment('end', spec.end);
  if (start !== null && end !== null && end <= start)
    throw optionInvalid('end', spec.end, 'a time after start');
  return { when: await whenOf(spec, start, now), start, end };
}

async function whenOf(
  { cron, zone: givenZone = 'UTC', everyMs, at }: ScheduleTiming,
  start: number | null,
  now: number,
): Promise<When> {
  if (at !== undefined) return { kind: 'at', at: requireMoment('at', at) };
  if (everyMs !== undefined)
    return {
      kind: 'every',
      everyMs: requireInteger('everyMs', everyMs, 1, EVERY_MAX_MS),
      anchor: start ?? now,
    };
  const zone = requireZone('zone', givenZone);
  const library = await loadCron();
  return { kind: 'cron', expression: library.requireExpression('cron', cron, zone, now), zone };
}

/** 100 years. */
const EVERY_MAX_MS = 100 * 365 * 86_400_000;

async function taskTarget(name: string, spec: TaskSchedule, means: SpecMeans): Promise<Target> {
  const { task, input, queue, priority, attempts, key, meta, backoff, timeoutMs } = spec;
  if (task === undefined) throw optionInvalid('task', task, 'a task or its name; or a flow as `flow`');
  // Ticks are told apart by their time: a unique key would make them one job.
  const given = { queue, priority, attempts, key, meta, backoff, timeoutMs, unique: false };
  const options = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const made = await new JobSpecs(task, means).make(input, options);
  return {
    kind: 'task',
    task: made.task,
    queue: made.queue,
    priority: made.priority,
    attemptsMax: made.attemptsMax,
    key: made.key,
    input: moved(means.codec, made.input, {
      from: inputOf(made),
      to: schedulePlace(name),
      what: `the input of schedule ${show(name)}`,
    }),
    meta: made.meta ?? null,
  };
}

async function flowTarget(name: string, spec: FlowSchedule, { codec }: SpecMeans): Promise<Target> {
  const { flow, input, meta } = spec;
  requireFlow(flow);
  return {
    kind: 'flow',
    flow: flow.name,
    version: flow.version,
    input: codec.encode(
      await flowInput(flow, input, codec),
      schedulePlace(name),
      `the input of flow ${show(flow.name)}`,
    ),
    meta: meta === undefined ? null : encodeMeta({ meta }),
  };
}

/** Where a schedule's input is sealed for. */
export function schedulePlace(name: string): PayloadPlace {
  return { role: 'schedule', id: name };
}

/** Whole milliseconds since the epoch. Throws OPTION_INVALID. */
export function requireMoment(field: string, time: unknown): number {
  return Math.floor(requireTime(field, time));
}

/** Throws OPTION_INVALID. */
export function requireScheduleName(name: unknown): string {
  return requireName('name', name);
}

function requireOneOf<const Name extends string>(
  field: string,
  value: unknown,
  names: readonly Name[],
): Name {
  if (names.includes(value as Name)) return value as Name;
  throw optionInvalid(field, value, names.map((name) => `'${name}'`).join(' or '));
}

/** Names the schedule in an error about one of several. */
export function namingSchedule(name: string, error: unknown): unknown {
  if (!(error instanceof LongshoreError)) return error;
  return new LongshoreError(error.code, `Schedule ${show(name)}: ${error.message}`, {
    cause: error,
    details: { schedule: name, ...error.details },
  });
}
