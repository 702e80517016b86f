import type { Clock } from '../core/clock.ts';
import { LongshoreError, optionInvalid, requireMs, requireName, show } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import { type PriorityName, QUEUE_DEFAULT } from '../core/job.ts';
import { isDate } from '../core/legible.ts';
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

/** Makes the specs of one call, whose jobs are of one task: what they share is looked at once. */
export class JobSpecs {
  readonly #task: AnyTask | null;
  readonly #name: string;
  readonly #queue: string;
  /** As errors name it. */
  readonly #what: string;
  readonly #codec: PayloadCodec;
  /** When the call was made; in all its jobs' ids. */
  readonly #now: number;

  /** Throws TASK_INVALID, OPTION_INVALID. */
  constructor(task: AnyTask | string, { codec, clock }: SpecMeans) {
    this.#task = requireTask(task);
    this.#name = this.#task === null ? requireName('task', task) : this.#task.name;
    this.#queue = requireQueue('queue', this.#task?.queue ?? QUEUE_DEFAULT);
    this.#what = `the input of task ${show(this.#name)}`;
    this.#codec = codec;
    this.#now = clock.now();
  }

  /** At once where the task's schema is synchronous. Throws (or rejects with) OPTION_INVALID, INPUT_INVALID, PAYLOAD_NOT_JSON, PAYLOAD_TOO_LARGE. */
  make(input: unknown, options: EnqueueOptions): JobSpec | Promise<JobSpec> {
    const schema = this.#task?.schema ?? null;
    if (schema === null) return this.#build(input, options, null);
    // What the handler's check will see: a Date is a text by then, a class instance plain data.
    const stored = this.#codec.encode(input, this.#what);
    const checked = validate(schema, this.#codec.decode(stored, this.#what), this.#what);
    return checked instanceof Promise
      ? checked.then(() => this.#build(input, options, stored))
      : this.#build(input, options, stored);
  }

  /** `stored`: the input encoded, where that is done already. */
  #build(input: unknown, options: EnqueueOptions, stored: string | null): JobSpec {
    const task = this.#task;
    const queue = options.queue === undefined ? this.#queue : requireQueue('queue', options.queue);
    return {
      id: newId(this.#now),
      isNew: true,
      queue,
      task: this.#name,
      priority:
        options.priority === undefined
          ? (task?.priority ?? 0)
          : requirePriority('priority', options.priority),
      input: stored ?? this.#codec.encode(input, this.#what),
      attemptsMax:
        options.attempts === undefined
          ? (task?.attempts ?? ATTEMPTS_DEFAULT)
          : requireAttempts('attempts', options.attempts),
      delayMs: options.delayMs === undefined ? 0 : requireMs('delayMs', options.delayMs),
      dueAt: options.at === undefined ? null : requireTime(options),
      unique: uniqueFor(task, options, this.#name, queue, input),
      key: keyFor(task, options, input),
    };
  }
}

export interface SpecMeans {
  readonly codec: PayloadCodec;
  readonly clock: Clock;
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
  const time = isDate(options.at) ? options.at.getTime() : options.at;
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
