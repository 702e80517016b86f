import type { Clock } from '../core/clock.ts';
import { LongshoreError, optionInvalid, requireMs, requireName, show } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import { type PriorityName, QUEUE_DEFAULT } from '../core/job.ts';
import type { PayloadCodec } from '../core/payload.ts';
import { validate } from '../core/schema.ts';
import {
  type AnyTask,
  isTask,
  requireAttempts,
  requireKey,
  requirePriority,
  requireQueue,
} from '../core/task.ts';
import { type UniqueOptions, uniqueSpec } from '../core/unique.ts';
import type { JobSpec } from '../store/store.ts';

/**
 * From a task, an input and options to the spec a store takes. All bad input is refused here, before anything is
 * written. What is stored is the input as given, not the schema's output: the schema runs again before the handler.
 */

export interface EnqueueOptions {
  /** Default: the task's. */
  readonly queue?: string;
  /** Lower runs first; a whole number or `high`, `medium`, `low`; default: the task's. */
  readonly priority?: number | PriorityName;
  /** Wait at least this long; default 0. */
  readonly delayMs?: number;
  /** Not before this time: a Date or ms since the epoch. Excludes `delayMs`. */
  readonly at?: Date | number;
  /** How often the job may run and fail, the first run counted; default: the task's. */
  readonly attempts?: number;
  /** Makes equal jobs one job; `false` switches the task's own off. */
  readonly unique?: UniqueOptions | false;
  /** Whose turn the job takes in its queue, 1 to 200 characters; default: the task's; `false` switches that off. */
  readonly key?: string | false;
  /**
   * A transaction of yours on the store's own database, to write the job in: it exists exactly if that commits
   * (docs/transactions.md lists what is understood). All jobs of an enqueueMany must have the same one.
   */
  readonly tx?: object;
}

const ATTEMPTS_DEFAULT = 3;
/** The last time a Date can hold. */
export const DATE_MAX_MS = 8_640_000_000_000_000;

/** At once where the task's schema is synchronous. Throws (or rejects with) TASK_INVALID, OPTION_INVALID, INPUT_INVALID, PAYLOAD_NOT_JSON, PAYLOAD_TOO_LARGE. */
export function jobSpec(
  task: AnyTask | string,
  input: unknown,
  options: EnqueueOptions,
  means: { readonly codec: PayloadCodec; readonly clock: Clock },
): JobSpec | Promise<JobSpec> {
  const definition = requireTask(task);
  const name = definition === null ? requireName('task', task) : definition.name;
  const what = `the input of task ${show(name)}`;
  let stored: string | null = null;
  const build = (): JobSpec => {
    const queue = requireQueue('queue', options.queue ?? definition?.queue ?? QUEUE_DEFAULT);
    return {
      id: newId(means.clock.now()),
      queue,
      task: name,
      priority:
        options.priority === undefined
          ? (definition?.priority ?? 0)
          : requirePriority('priority', options.priority),
      input: stored ?? means.codec.encode(input, what),
      attemptsMax:
        options.attempts === undefined
          ? (definition?.attempts ?? ATTEMPTS_DEFAULT)
          : requireAttempts('attempts', options.attempts),
      delayMs: options.delayMs === undefined ? 0 : requireMs('delayMs', options.delayMs),
      dueAt: options.at === undefined ? null : requireTime(options),
      unique: uniqueFor(definition, options, name, queue, input),
      key: keyFor(definition, options, input),
    };
  };
  if (definition === null || definition.schema === null) return build();
  // What the handler's check will see: a Date is a text by then, a class instance plain data.
  stored = means.codec.encode(input, what);
  const checked = validate(definition.schema, means.codec.decode(stored, what), what);
  return checked instanceof Promise ? checked.then(build) : build();
}

function requireTask(task: AnyTask | string): AnyTask | null {
  if (typeof task === 'string') return null;
  if (isTask(task)) return task;
  throw new LongshoreError(
    'TASK_INVALID',
    `The task is ${show(task)}; expected what defineTask() returns, or a task's name.`,
  );
}

function requireTime(options: EnqueueOptions): number {
  if (options.delayMs !== undefined)
    throw optionInvalid('at', options.at, 'to be left out when delayMs is given');
  const time = options.at instanceof Date ? options.at.getTime() : options.at;
  if (typeof time === 'number' && time >= 0 && time <= DATE_MAX_MS) return time;
  throw optionInvalid('at', options.at, 'a valid Date or ms since the epoch');
}

function keyFor(definition: AnyTask | null, options: EnqueueOptions, input: unknown): string | null {
  // A task made by a copy of the package that knew no keys has none.
  const { key = definition?.key ?? false } = options;
  if (key === false) return null;
  return requireKey('key', typeof key === 'function' ? key(input) : key);
}

function uniqueFor(
  definition: AnyTask | null,
  options: EnqueueOptions,
  name: string,
  queue: string,
  input: unknown,
): JobSpec['unique'] {
  const unique = options.unique ?? definition?.unique ?? false;
  return unique === false ? null : uniqueSpec(unique, { task: name, queue, input }, digest);
}

function digest(text: string): string {
  // Loaded on use: it costs 3 MB that a process without unique jobs need not have.
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('base64url');
}
