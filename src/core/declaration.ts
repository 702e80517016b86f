import { callSite } from './call-site.ts';
import { LongshoreError, requireName, show } from './errors.ts';
import type { Handler } from './job-context.ts';
import { knownNames, requireOptions } from './options.ts';
import {
  type AnyDeclaration,
  contractOf,
  DECLARED,
  type defineTask,
  HANDLED,
  handlerOf,
  hasHandler,
  isTask,
  makeTask,
  namingTask,
  type Task,
  type TaskDeclaration,
} from './task.ts';
import type { DeclarationOptions, GivenFor, HandlerOptions, JobDefaults, RunInput } from './task-options.ts';

/**
 * A task in two halves: the declaration, which whoever enqueues imports, and the handler, which only workers import
 * together with all that it needs.
 */

/**
 * Declares a task without its handler. Types as for `defineTask`: `declareTask<{ path: string }, number>({ name })` or
 * `declareTask<typeof schema, number>({ name, input: schema })` says what the handler will return.
 * Throws TASK_INVALID or OPTION_INVALID.
 */
export function declareTask<Input = unknown, Result = unknown, const Name extends string = string>(
  options: DeclarationOptions<Name, Input>,
): TaskDeclaration<Name, GivenFor<Input>, RunInput<Input>, Result>;
export function declareTask(options: DeclarationOptions<string, unknown>): TaskDeclaration {
  requireOptions('declareTask', options, DECLARED);
  const name = requireName('name', options.name);
  return namingTask(name, () => Object.freeze({ ...contractOf(name, options), run: null }));
}

/** The task of a declaration and its handler. Throws TASK_INVALID or OPTION_INVALID. */
export function implementTask<Name extends string, Given, Input, Result, Returned extends Result>(
  declaration: TaskDeclaration<Name, Given, Input, Result>,
  run: Handler<Input, Returned>,
  options: HandlerOptions = {},
): Task<Name, Given, Input, Returned> {
  const caller = options.module === undefined ? callSite(implementTask) : null;
  return implement(declaration, run, options, caller);
}

function implement<Name extends string, Given, Input, Result, Returned extends Result>(
  declaration: TaskDeclaration<Name, Given, Input, Result>,
  run: Handler<Input, Returned>,
  options: HandlerOptions,
  caller: string | null,
): Task<Name, Given, Input, Returned> {
  requireDeclaration(declaration);
  requireOptions('implementTask', options, HANDLED);
  const handler = namingTask(declaration.name, () => handlerOf(run, options, caller));
  return Object.freeze({ ...declaration, ...handler });
}

function requireDeclaration(declaration: AnyDeclaration): void {
  if (isTask(declaration) && !hasHandler(declaration)) return;
  const what = isTask(declaration)
    ? `task ${show(declaration.name)}, which has a handler already`
    : show(declaration);
  throw new LongshoreError(
    'TASK_INVALID',
    `The declaration is ${what}; expected what declareTask() returns.`,
    { details: {} },
  );
}

/** Options for all tasks of a file or program. */
export interface TaskDefaults extends JobDefaults, Omit<HandlerOptions, 'module'> {}

const DEFAULTED = knownNames<TaskDefaults>({
  queue: true,
  priority: true,
  attempts: true,
  unique: true,
  backoff: true,
  timeoutMs: true,
  heartbeatTimeoutMs: true,
  strategy: true,
  hint: true,
});

/** The functions that make tasks, with other defaults. */
export interface TaskMakers {
  readonly defineTask: typeof defineTask;
  readonly declareTask: typeof declareTask;
  readonly implementTask: typeof implementTask;
}

/**
 * `defineTask` and its like with defaults of your own: `const { defineTask } = taskDefaults({ queue: 'films' })`. What a
 * task says itself wins. The defaults are checked with each task.
 */
export function taskDefaults(defaults: TaskDefaults): TaskMakers {
  requireOptions('taskDefaults', defaults, DEFAULTED);
  const { queue, priority, attempts, unique, ...handler } = defaults;
  const job = { queue, priority, attempts, unique };
  const makers: TaskMakers = {
    defineTask: (options) => makeTask(filled(options, defaults) as never, makers.defineTask) as never,
    declareTask: (options) => declareTask(filled(options, job)),
    implementTask: (declaration, run, options = {}) => {
      const caller = options.module === undefined ? callSite(makers.implementTask) : null;
      return implement(declaration, run, filled(options, handler), caller);
    },
  };
  return makers;
}

/** The options, and the defaults where they say nothing. */
function filled<T extends object>(options: T, defaults: object): T {
  const said = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(said) } as T;
}
