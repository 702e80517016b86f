import { callSite } from './call-site.ts';
import { LongshoreError, optionInvalid, requireInteger, requireMs, requireName, show } from './errors.ts';
import { ALL_QUEUES, NAMED_PRIORITIES, type PriorityName, QUEUE_DEFAULT } from './job.ts';
import { knownNames, requireOptions } from './options.ts';
import { BACKOFF_DEFAULT, type Backoff, requireBackoff } from './retry.ts';
import { isSchema, type Schema, type SchemaInput, type SchemaOutput } from './schema.ts';
import { type Hint, requireHint, requireStrategy, type Strategy } from './strategy.ts';
import { type UniqueOptions, uniqueSpec } from './unique.ts';

/** What a handler is given. Every member may be taken by destructuring. */
export interface JobContext<Input> {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  /** Whose turn this is, where the job has a key. */
  readonly key: string | null;
  /** The schema's output for the job's input. */
  readonly input: Input;
  /** Number of this attempt, from 1. */
  readonly attempt: number;
  /** Attempts allowed; 1 means no retry. */
  readonly attemptsMax: number;
  /** Aborts on timeout, cancel, a lost lease and the end of a graceful stop; its `reason` is a LongshoreError that says which. */
  readonly signal: AbortSignal;
  /** Reports progress: a number or any JSON. Written in batches; the last value wins. */
  readonly progress: (value: unknown) => void;
  /**
   * Says that the handler is alive, for tasks with a `heartbeatTimeoutMs`; with `details`, does what `progress` does, too.
   * May be called as often as you like. The lease needs none of it.
   */
  readonly heartbeat: (details?: unknown) => void;
  /**
   * What `progress` or `heartbeat` were given last, in this attempt or one before it: to go on from there. `undefined` when
   * there is nothing. Rejects with the store's error.
   */
  readonly lastProgress: () => Promise<unknown>;
  /** Adds a line to the job's log, with optional JSON data. Written in batches. */
  readonly log: (message: string, data?: unknown) => void;
}

export type Handler<Input, Result> = (context: JobContext<Input>) => Result | Promise<Result>;

/** The options of a task that an enqueue may override for one job. */
export interface JobDefaults {
  /** The line the jobs wait in; default `default`. */
  readonly queue?: string;
  /** Lower runs first; a whole number or `high` (-10), `medium` (0), `low` (10); default 0. */
  readonly priority?: number | PriorityName;
  /** How often the handler may run and fail; counts the first run, 1 means no retry; default 3. */
  readonly attempts?: number;
  /** Makes equal jobs one job; off by default. */
  readonly unique?: UniqueOptions;
}

export interface TaskOptions<Name extends string, Input, Result, Given = Input> extends JobDefaults {
  /** 1 to 200 characters; unique within a worker. */
  readonly name: Name;
  readonly run: Handler<Input, Result>;
  /**
   * Jobs of one key take turns with those of other keys, and share the queue's limits per key (`queues.setLimits`):
   * how many run at a time, in which order, how often. A text for all jobs of the task, or a function of the input as
   * it was enqueued. 1 to 200 characters; none by default.
   */
  readonly key?: TaskKey<Given>;
  /** Wait between attempts; default exponential from 1 s, at most 1 h, jitter 0.2. */
  readonly backoff?: Backoff;
  /** Longest an attempt may run, in ms; none by default. Inline handlers are asked to stop by their `signal`. */
  readonly timeoutMs?: number;
  /** Longest an attempt may be silent, in ms, at least 100: without `heartbeat` or `progress` for so long it is stopped and has failed; none by default. */
  readonly heartbeatTimeoutMs?: number;
  /** Where the handler runs; default: what the worker says, and that is `async` (docs/execution.md). */
  readonly strategy?: Strategy;
  /** What the handler is like, for `auto`, which a task with a hint and without a strategy gets. */
  readonly hint?: Hint;
  /**
   * `import.meta.url` of the module that exports the task, for threads and processes, which import it. Only needed
   * where it is not the module that calls defineTask.
   */
  readonly module?: string;
}

const TASK_OPTIONS = knownNames<TaskOptions<string, unknown, unknown> & { readonly input?: unknown }>({
  name: true,
  run: true,
  input: true,
  queue: true,
  priority: true,
  attempts: true,
  unique: true,
  key: true,
  backoff: true,
  timeoutMs: true,
  heartbeatTimeoutMs: true,
  strategy: true,
  hint: true,
  module: true,
});

export type TaskKey<Given> = string | ((input: Given) => string);

/** A named, typed definition. Made by `defineTask`; the same object serves at enqueue and in the worker. */
export interface Task<Name extends string = string, Given = unknown, Input = unknown, Result = unknown> {
  readonly name: Name;
  readonly schema: Schema<Given, Input> | null;
  readonly run: Handler<Input, Result>;
  readonly queue: string;
  readonly priority: number;
  readonly attempts: number;
  readonly backoff: Backoff;
  readonly timeoutMs: number | null;
  readonly heartbeatTimeoutMs: number | null;
  readonly unique: UniqueOptions | null;
  readonly key: TaskKey<Given> | null;
  /** `null`: what the worker says. */
  readonly strategy: Strategy | null;
  readonly hint: Hint | null;
  /** URL or path of the module that is believed to export the task; `null` where nothing tells. */
  readonly module: string | null;
}

/** A task of any type: what a worker's list holds. */
// biome-ignore lint/suspicious/noExplicitAny: a list of tasks is heterogeneous, and handlers are contravariant in their input.
export type AnyTask = Task<string, any, any, any>;

export type TaskGiven<T> = T extends Task<string, infer Given, infer _Input, infer _Result> ? Given : never;
export type TaskResult<T> = T extends Task<string, infer _Given, infer _Input, infer Result> ? Result : never;

/**
 * Defines a task. `input` is any Standard Schema; inputs are checked against it at enqueue and again at run.
 * Without `input`, handlers get whatever JSON was enqueued, as `unknown`.
 * Throws TASK_INVALID or OPTION_INVALID, naming the field, its value and what was expected.
 */
export function defineTask<const Name extends string, S extends Schema<unknown, unknown>, Result>(
  options: TaskOptions<Name, SchemaOutput<S>, Result, SchemaInput<S>> & { readonly input: S },
): Task<Name, SchemaInput<S>, SchemaOutput<S>, Result>;
export function defineTask<const Name extends string, Result>(
  options: TaskOptions<Name, unknown, Result> & { readonly input?: undefined },
): Task<Name, unknown, unknown, Result>;
export function defineTask(
  options: TaskOptions<string, unknown, unknown> & { readonly input?: unknown },
): Task {
  requireOptions('defineTask', options, TASK_OPTIONS);
  const name = requireName('name', options.name);
  const caller = options.module === undefined ? callSite(defineTask) : null;
  return namingTask(name, () => {
    if (typeof options.run !== 'function')
      throw optionInvalid('run', options.run, 'a function (context) => result');
    if (options.input !== undefined && !isSchema(options.input)) {
      throw optionInvalid('input', options.input, 'a Standard Schema v1 (zod 3.24+, valibot 1+, arktype 2+)');
    }
    const queue = requireQueue('queue', options.queue ?? QUEUE_DEFAULT);
    // Only for its checks: the key itself comes from each job's input.
    if (options.unique !== undefined) uniqueSpec(options.unique, { task: name, queue, input: null }, String);
    return Object.freeze({
      name,
      schema: options.input === undefined ? null : (options.input as Schema),
      run: options.run,
      queue,
      priority: requirePriority('priority', options.priority ?? 0),
      attempts: requireAttempts('attempts', options.attempts ?? 3),
      backoff: requireBackoff('backoff', options.backoff ?? BACKOFF_DEFAULT),
      timeoutMs: options.timeoutMs === undefined ? null : requirePositiveMs('timeoutMs', options.timeoutMs),
      heartbeatTimeoutMs: heartbeatTimeoutOf(options),
      unique: options.unique ?? null,
      key: options.key === undefined ? null : requireTaskKey(options.key),
      hint: options.hint === undefined ? null : requireHint('hint', options.hint),
      strategy: strategyOf(options),
      module: options.module === undefined ? caller : requireModule(options.module),
    });
  });
}

/** Whether `value` came from `defineTask`, of this or another copy of the package. */
export function isTask(value: unknown): value is AnyTask {
  if (typeof value !== 'object' || value === null) return false;
  const task = value as Partial<Task>;
  return (
    typeof task.name === 'string' &&
    typeof task.run === 'function' &&
    typeof task.attempts === 'number' &&
    'schema' in task
  );
}

/** Throws OPTION_INVALID; 0 gets a hint, since in some systems it means "no retry". */
export function requireAttempts(field: string, attempts: unknown): number {
  if (attempts === 0)
    throw optionInvalid(field, attempts, '1 or more: attempts counts the first run, so 1 means "no retry"');
  if (requireInteger(field, attempts, 1) <= ATTEMPTS_MAX) return attempts as number;
  throw optionInvalid(field, attempts, `at most ${ATTEMPTS_MAX}`);
}

/** What every store can count. */
const ATTEMPTS_MAX = 2 ** 31 - 1;

/** Throws OPTION_INVALID. */
export function requirePriority(field: string, priority: unknown): number {
  if (typeof priority === 'string' && Object.hasOwn(NAMED_PRIORITIES, priority))
    return NAMED_PRIORITIES[priority as PriorityName];
  if (typeof priority === 'number' && Number.isInteger(priority) && Math.abs(priority) <= 2 ** 31 - 1)
    return priority;
  throw optionInvalid(
    field,
    priority,
    "a 32-bit whole number, or 'high', 'medium' or 'low'; lower runs first",
  );
}

/** Throws OPTION_INVALID. */
export function requireQueue(field: string, queue: unknown): string {
  if (queue === ALL_QUEUES)
    throw optionInvalid(field, queue, "a queue's own name; '*' stands for all queues");
  return requireName(field, queue);
}

/** Throws OPTION_INVALID. */
export function requireKey(field: string, key: unknown): string {
  return requireName(field, key, KEY_CHARS_MAX);
}

const KEY_CHARS_MAX = 200;

function requireTaskKey(key: TaskKey<unknown>): TaskKey<unknown> {
  if (typeof key === 'function') return key;
  if (typeof key !== 'string') throw optionInvalid('key', key, 'a string, or a function of the input');
  return requireKey('key', key);
}

/** Who gives a hint wants it to be followed. */
function strategyOf({ strategy, hint }: { strategy?: Strategy; hint?: Hint }): Strategy | null {
  if (strategy !== undefined) return requireStrategy('strategy', strategy);
  return hint === undefined ? null : 'auto';
}

function requireModule(module: unknown): string {
  if (typeof module === 'string' && /^(file:|data:|\/|[A-Za-z]:[\\/])/.test(module)) return module;
  throw optionInvalid('module', module, 'import.meta.url, or the absolute path of the module');
}

function requirePositiveMs(field: string, value: unknown): number {
  if (requireMs(field, value) === 0) throw optionInvalid(field, value, 'more than 0 milliseconds');
  return value as number;
}

/** What crosses the border of a thread or process is told a few times a second. */
const HEARTBEAT_TIMEOUT_MIN_MS = 100;

function heartbeatTimeoutOf({ heartbeatTimeoutMs: given }: { heartbeatTimeoutMs?: number }): number | null {
  if (given === undefined || requireMs('heartbeatTimeoutMs', given) >= HEARTBEAT_TIMEOUT_MIN_MS)
    return given ?? null;
  throw optionInvalid('heartbeatTimeoutMs', given, `at least ${HEARTBEAT_TIMEOUT_MIN_MS} milliseconds`);
}

function namingTask<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof LongshoreError)) throw error;
    throw new LongshoreError('TASK_INVALID', `Task ${show(name)}: ${error.message}`, {
      cause: error,
      details: { task: name, ...error.details },
    });
  }
}

/** The tasks by name. Throws TASK_INVALID for what is not a task, TASK_DUPLICATE for two of one name. */
export function indexTasks(tasks: readonly AnyTask[]): ReadonlyMap<string, AnyTask> {
  const index = new Map<string, AnyTask>();
  for (const [position, task] of tasks.entries()) {
    if (!isTask(task)) {
      throw new LongshoreError(
        'TASK_INVALID',
        `tasks[${position}] is ${show(task)}; expected what defineTask() returns.`,
        { details: { position } },
      );
    }
    const other = index.get(task.name);
    if (other !== undefined && other !== task) {
      throw new LongshoreError(
        'TASK_DUPLICATE',
        `Two different tasks are named ${show(task.name)}; give one of them another name.`,
        { details: { task: task.name } },
      );
    }
    index.set(task.name, task);
  }
  return index;
}
