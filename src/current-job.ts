import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';

/**
 * Which job's handler the code that runs belongs to, also behind its awaits, in timers and callbacks: what it enqueues
 * inherits that job's correlation id and trace (core/inherited.ts).
 *
 * A context of its own for each job would cost 0.25 µs (Node 24), which is a tenth of what a worker does for a job that does
 * nothing. So contexts are made once and used again: to enter one costs 10 ns. One that was asked for its job is given to no
 * other job, since code that its handler left behind may ask again. A handler that asks for the first time after its end
 * may be told another job: handlers have to await what they do.
 */
export interface CurrentJob {
  readonly id: string;
  /** As it is stored. */
  readonly meta: string | null;
}

interface Context {
  job: CurrentJob | null;
  asked: boolean;
  readonly scope: AsyncResource;
}

interface Shared {
  readonly storage: AsyncLocalStorage<Context | null>;
  readonly idle: Context[];
}

/** Other copies of the package in this thread have the same: a handler may use another one than its worker. */
const SHARED = Symbol.for('longshore.currentJob');
const holder = globalThis as { [SHARED]?: Shared };
holder[SHARED] ??= { storage: new AsyncLocalStorage(), idle: [] };
const { storage, idle } = holder[SHARED];

/** A context is kept for each job that ran at the same time as others, up to this many. */
const IDLE_MAX = 1_000;

/** Calls the handler of a job in a context of its own; to be ended when what it returned is settled. */
export function runAs<Given, Returned>(
  job: CurrentJob,
  task: { readonly run: (given: Given) => Returned },
  given: Given,
): { readonly returned: Returned; readonly end: () => void } {
  const context = enter(job);
  try {
    return { returned: context.scope.runInAsyncScope(task.run, task, given), end: () => leave(context) };
  } catch (error) {
    leave(context);
    throw error;
  }
}

/** The job whose handler this is called from; null outside of handlers. */
export function currentJob(): CurrentJob | null {
  const context = storage.getStore() ?? null;
  if (context !== null) context.asked = true;
  return context?.job ?? null;
}

/** Calls a function as if no handler had led to it. */
export function outsideOfJobs<Given>(body: (given: Given) => void, given: Given): void {
  if (storage.getStore() == null) body(given);
  else storage.run(null, body, given);
}

function enter(job: CurrentJob): Context {
  const context = idle.pop() ?? newContext();
  context.job = job;
  return context;
}

function leave(context: Context): void {
  // What it started may go on, and is the job's still.
  if (context.asked) return;
  context.job = null;
  if (idle.length < IDLE_MAX) idle.push(context);
}

function newContext(): Context {
  const context: { -readonly [Name in keyof Context]?: Context[Name] } = { job: null, asked: false };
  context.scope = storage.run(context as Context, () => new AsyncResource('longshore.job'));
  return context as Context;
}
