import { callSite } from './call-site.ts';
import {
  LongshoreError,
  optionInvalid,
  requireInteger,
  requireMs,
  requireName,
  requirePositiveMs,
  show,
} from './errors.ts';
import { ALL_QUEUES, NAMED_PRIORITIES, type PriorityName, QUEUE_DEFAULT } from './job.ts';
import type { Handler } from './job-context.ts';
import { knownNames, requireOptions } from './options.ts';
import { BACKOFF_DEFAULT, type Backoff, requireBackoff } from './retry.ts';
import { isSchema, type Schema } from './schema.ts';
import { type Hint, requireHint, requireStrategy, type Strategy } from './strategy.ts';
import type {
  DeclarationOptions,
  GivenFor,
  HandlerOptions,
  RunInput,
  TaskKey,
  TaskOptions,
} from './task-options.ts';
import { type UniqueOptions, uniqueSpec } from './unique.ts';

const DECLARATION_OPTIONS = {
  name: true,
  input: true,
  queue: true,
  priority: true,
  attempts: true,
  unique: true,
  key: true,
} as const;

const HANDLER_OPTIONS = {
  backoff: true,
  timeoutMs: true,
  heartbeatTimeoutMs: true,
  strategy: true,
  hint: true,
  module: true,
} as const;

const TASK_OPTIONS = knownNames<TaskOptions<string, unknown, unknown>>({
  ...DECLARATION_OPTIONS,
  ...HANDLER_OPTIONS,
  run: true,
});

export const DECLARED = knownNames<DeclarationOptions<string, unknown>>(DECLARATION_OPTIONS);
export const HANDLED = knownNames<HandlerOptions>(HANDLER_OPTIONS);

/** A named, typed contract for whoever enqueues. Made by `declareTask`; every task is one, too. */
export interface TaskDeclaration<
  Name extends string = string,
  Given = unknown,
  Input = unknown,
  Result = unknown,
> {
  readonly name: Name;
  readonly schema: Schema<Given, Input> | null;
  /** Null: the handler is elsewhere. */
  readonly run: Handler<Input, Result> | null;
  readonly queue: string;
  readonly priority: number;
  readonly attempts: number;
  readonly unique: UniqueOptions | null;
  readonly key: TaskKey<Given> | null;
}

/** A declaration with a handler. Made by `defineTask` or `implementTask`; the same object serves at enqueue and in the worker. */
export interface Task<Name extends string = string, Given = unknown, Input = unknown, Result = unknown>
  extends TaskDeclaration<Name, Given, Input, Result> {
  readonly run: Handler<Input, Result>;
  readonly backoff: Backoff;
  readonly timeoutMs: number | null;
  readonly heartbeatTimeoutMs: number | null;
  /** `null`: what the worker says. */
  readonly strategy: Strategy | null;
  readonly hint: Hint | null;
  /** URL or path of the module that is believed to export the task; `null` where nothing tells. */
  readonly module: string | null;
}

/** A task of any type: what a worker's list holds. */
// biome-ignore lint/suspicious/noExplicitAny: a list of tasks is heterogeneous, and handlers are contravariant in their input.
export type AnyTask = Task<string, any, any, any>;

/** A declaration or task of any type: what can be enqueued. */
// biome-ignore lint/suspicious/noExplicitAny: as for AnyTask.
export type AnyDeclaration = TaskDeclaration<string, any, any, any>;

export type TaskGiven<T> =
  T extends TaskDeclaration<string, infer Given, infer _Input, infer _Result> ? Given : never;
export type TaskResult<T> =
  T extends TaskDeclaration<string, infer _Given, infer _Input, infer Result> ? Result : never;

/**
 * Defines a task. With `input`, any Standard Schema, the handler gets its output, and all types are inferred. Without it,
 * `defineTask<{ path: string }, number>({ … })` says what is enqueued and what the handler returns; nothing is checked then.
 * Types for a task with a schema: `defineTask<typeof schema, number>`.
 * It has one signature, so that the compiler's errors name the option that is wrong.
 * Throws TASK_INVALID or OPTION_INVALID, naming the field, its value and what was expected.
 */
export function defineTask<Input = unknown, Result = unknown, const Name extends string = string>(
  options: TaskOptions<Name, Input, Result>,
): Task<Name, GivenFor<Input>, RunInput<Input>, Result>;
export function defineTask(options: TaskOptions<string, unknown, unknown>): Task {
  return makeTask(options, defineTask);
}

/** `calledAs`: the function whose caller is the task's module. */
export function makeTask(
  options: TaskOptions<string, unknown, unknown>,
  calledAs: (...args: never) => unknown,
): Task {
  requireOptions('defineTask', options, TASK_OPTIONS);
  const name = requireName('name', options.name);
  const caller = options.module === undefined ? callSite(calledAs) : null;
  return namingTask(name, () =>
    Object.freeze({ ...contractOf(name, options), ...handlerOf(options.run, options, caller) }),
  );
}

/** Throws OPTION_INVALID. */
export function contractOf(
  name: string,
  options: DeclarationOptions<string, unknown>,
): Omit<TaskDeclaration, 'run'> {
  const input: unknown = options.input;
  if (input !== undefined && !isSchema(input))
    throw optionInvalid('input', input, 'a Standard Schema v1 (zod 3.24+, valibot 1+, arktype 2+)');
  const queue = requireQueue('queue', options.queue ?? QUEUE_DEFAULT);
  // Only for its checks: the key itself comes from each job's input.
  if (options.unique !== undefined) uniqueSpec(options.unique, { task: name, queue, input: null }, String);
  return {
    name,
    schema: input === undefined ? null : input,
    queue,
    priority: requirePriority('priority', options.priority ?? 0),
    attempts: requireAttempts('attempts', options.attempts ?? 3),
    unique: options.unique ?? null,
    key: options.key === undefined ? null : requireTaskKey(options.key),
  };
}

/** Throws OPTION_INVALID. */
export function handlerOf<Input, Result>(
  run: Handler<Input, Result>,
  options: HandlerOptions,
  caller: string | null,
): Pick<Task<string, never, Input, Result>, 'run' | keyof HandlerOptions> {
  if (typeof run !== 'function') throw optionInvalid('run', run, 'a function (context) => result');
  return {
    run,
    backoff: requireBackoff('backoff', options.backoff ?? BACKOFF_DEFAULT),
    timeoutMs: options.timeoutMs === undefined ? null : requirePositiveMs('timeoutMs', options.timeoutMs),
    heartbeatTimeoutMs: heartbeatTimeoutOf(options),
    hint: options.hint === undefined ? null : requireHint('hint', options.hint),
    strategy: strategyOf(options),
    module: options.module === undefined ? caller : requireModule(options.module),
  };
}

/** Whether `value` came from `defineTask`, `declareTask` or `implementTask`, of this or another copy of the package. */
export function isTask(value: unknown): value is AnyDeclaration {
  if (typeof value !== 'object' || value === null) return false;
  const task = value as Partial<Task>;
  return (
    typeof task.name === 'string' &&
    (typeof task.run === 'function' || task.run === null) &&
    typeof task.attempts === 'number' &&
    'schema' in task
  );
}

export function hasHandler(task: AnyDeclaration): task is AnyTask {
  return task.run !== null;
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

/** What crosses the border of a thread or process is told a few times a second. */
const HEARTBEAT_TIMEOUT_MIN_MS = 100;

function heartbeatTimeoutOf({ heartbeatTimeoutMs: given }: { heartbeatTimeoutMs?: number }): number | null {
  if (given === undefined || requireMs('heartbeatTimeoutMs', given) >= HEARTBEAT_TIMEOUT_MIN_MS)
    return given ?? null;
  throw optionInvalid('heartbeatTimeoutMs', given, `at least ${HEARTBEAT_TIMEOUT_MIN_MS} milliseconds`);
}

/** Errors of `read` name the task. */
export function namingTask<T>(name: string, read: () => T): T {
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
    if (!hasHandler(task)) throw handlerMissing(task, position);
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

function handlerMissing({ name }: AnyDeclaration, position: number): LongshoreError {
  const message = `tasks[${position}] is the declaration of task ${show(name)}, which has no handler; give the worker what implementTask(declaration, run) returns.`;
  return new LongshoreError('TASK_INVALID', message, { details: { position, task: name } });
}
