import type { PriorityName } from './job.ts';
import type { Handler } from './job-context.ts';
import type { Jsonified } from './jsonified.ts';
import type { Backoff } from './retry.ts';
import type { Schema } from './schema.ts';
import type { Hint, Strategy } from './strategy.ts';
import type { UniqueOptions } from './unique.ts';

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

/** What enqueueing needs to know of a task. `Input`: a schema's type, or what is enqueued where there is no schema. */
export interface DeclarationOptions<Name extends string, Input> extends JobDefaults {
  /** 1 to 200 characters; unique within a worker. */
  readonly name: Name;
  /** Any Standard Schema; inputs are checked against it at enqueue and again at run. */
  readonly input?: SchemaFor<Input>;
  /**
   * Jobs of one key take turns with those of other keys, and share the queue's limits per key (`queues.setLimits`):
   * how many run at a time, in which order, how often. A text for all jobs of the task, or a function of the input as
   * it was enqueued. 1 to 200 characters; none by default.
   */
  readonly key?: TaskKey<GivenFor<Input>>;
}

/** How a worker runs the handler. */
export interface HandlerOptions {
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

export interface TaskOptions<Name extends string, Input, Result>
  extends DeclarationOptions<Name, Input>,
    HandlerOptions {
  readonly run: Handler<RunInput<Input>, Result>;
}

export type TaskKey<Given> = string | ((input: Given) => string);

/** What is enqueued. */
export type GivenFor<Input> = Input extends Schema<infer Given, unknown> ? Given : Input;

/** What the handler gets: the schema's output, or what JSON makes of the input. */
export type RunInput<Input> = Input extends Schema<infer _Given, infer Output> ? Output : Jsonified<Input>;

/** NoInfer: the schema is what `Input` is inferred from. */
export type SchemaFor<Input> =
  Input extends Schema<unknown, unknown> ? Input : Schema<NoInfer<Input>, Jsonified<NoInfer<Input>>>;
