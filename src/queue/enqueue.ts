import type { Clock } from '../core/clock.ts';
import { LongshoreError, optionInvalid, requireMs, requireName, show } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import { type PriorityName, QUEUE_DEFAULT } from '../core/job.ts';
import type { Jsonified } from '../core/jsonified.ts';
import { isDate } from '../core/legible.ts';
import { encodeMeta, type JobMeta, type KeptOptions, type StoredBackoff } from '../core/meta.ts';
import { knownNames, requireKnown } from '../core/options.ts';
import { decodePayload, inputOf, type PayloadCodec } from '../core/payload.ts';
import { validate } from '../core/schema.ts';
import {
  type AnyDeclaration,
  isTask,
  requireAttempts,
  requireKey,
  requirePriority,
  requireQueue,
  type TaskGiven,
  type TaskResult,
} from '../core/task.ts';
import { type UniqueOptions, uniqueSpec } from '../core/unique.ts';
import type { JobSpec } from '../store/store.ts';

/**
 * From a task, an input and options to the spec a store takes. All bad input is refused here, before anything is
 * written. What is stored is the input as given, not the schema's output: the schema runs again before the handler.
 */

export interface EnqueueOptions extends KeptOptions {
  /**
   * A UUID in lower case. As long as the job of this id is kept, a repeat adds nothing and the handle's status is `existing`;
   * so a call whose answer was lost can be made again. Default: a new one.
   */
  readonly id?: string;
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
  /** Wait between attempts of this job, in data; default: the task's. */
  readonly backoff?: StoredBackoff;
  /** Longest an attempt of this job may run, in ms; default: the task's. */
  readonly timeoutMs?: number;
  /**
   * You wait for its result: with a tracer its spans are then children of the span that enqueues it, in the same trace, and are not
   * only linked to it (docs/telemetry.md). Default: false.
   */
  readonly awaited?: boolean;
  /** What ties the job to other things: `context.meta` for its handler. Kept apart from the input, and never encrypted. */
  readonly meta?: JobMeta;
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

/** What is enqueued for a task, or for one that is known by its name alone. */
export type InputOf<T> = T extends string ? unknown : TaskGiven<T>;

/** What `result()` of its jobs resolves to. */
export type ResultOf<T> = T extends string ? unknown : Jsonified<TaskResult<T>>;

/** What `enqueue` takes after the task; the input may be left out where `undefined` is one. */
export type EnqueueArguments<T> =
  undefined extends InputOf<T>
    ? [input?: InputOf<T>, options?: EnqueueOptions]
    : [input: InputOf<T>, options?: EnqueueOptions];
const ENQUEUE_OPTIONS = knownNames<EnqueueOptions>({
  id: true,
  queue: true,
  priority: true,
  delayMs: true,
  at: true,
  attempts: true,
  unique: true,
  key: true,
  backoff: true,
  timeoutMs: true,
  awaited: true,
  meta: true,
  tx: true,
});

/** Throws OPTION_INVALID for an option that there is not. */
export function requireEnqueueOptions(what: string, options: EnqueueOptions): void {
  requireKnown(what, options, ENQUEUE_OPTIONS);
}

const ATTEMPTS_DEFAULT = 3;
/** The last time a Date can hold. */
const DATE_MAX_MS = 8_640_000_000_000_000;

/** Makes the specs of one call, whose jobs are of one task: what they share is looked at once. */
export class JobSpecs {
  readonly #task: AnyDeclaration | null;
  readonly #name: string;
  readonly #queue: string;
  /** As errors name it. */
  readonly #what: string;
  readonly #codec: PayloadCodec;
  readonly #inherited: JobMeta | null;
  /** When the call was made; in all its jobs' ids. */
  readonly #now: number;

  /** Throws TASK_INVALID, OPTION_INVALID. */
  constructor(task: AnyDeclaration | string, { codec, clock, inherited = null }: SpecMeans) {
    this.#task = requireTask(task);
    this.#name = this.#task === null ? requireName('task', task) : this.#task.name;
    this.#queue = requireQueue('queue', this.#task?.queue ?? QUEUE_DEFAULT);
    this.#what = `the input of task ${show(this.#name)}`;
    this.#codec = codec;
    this.#inherited = inherited;
    this.#now = clock.now();
  }

  /** At once where the task's schema is synchronous. Throws (or rejects with) OPTION_INVALID, INPUT_INVALID, PAYLOAD_NOT_JSON, PAYLOAD_TOO_LARGE. */
  make(input: unknown, options: EnqueueOptions): JobSpec | Promise<JobSpec> {
    const schema = this.#task?.schema ?? null;
    if (schema === null) return this.#build(input, options, null);
    // What the handler's check will see: a Date is a text by then, a class instance plain data.
    const text = this.#codec.text(input, this.#what);
    const checked = validate(schema, decodePayload(text, this.#what), this.#what);
    return checked instanceof Promise
      ? checked.then(() => this.#build(input, options, text))
      : this.#build(input, options, text);
  }

  /** `text`: the input as JSON, where that is made already. */
  #build(input: unknown, options: EnqueueOptions, text: string | null): JobSpec {
    const task = this.#task;
    const id = options.id === undefined ? newId(this.#now) : requireUuid(options.id);
    const queue = options.queue === undefined ? this.#queue : requireQueue('queue', options.queue);
    const unique = this.#unique(input, options, queue);
    const owner = mayReplace(unique) ? null : id;
    return {
      id,
      ...(options.id === undefined ? { isNew: true } : {}),
      queue,
      task: this.#name,
      priority:
        options.priority === undefined
          ? (task?.priority ?? 0)
          : requirePriority('priority', options.priority),
      input: this.#codec.seal(
        text ?? this.#codec.text(input, this.#what),
        inputOf({ task: this.#name, id: owner }),
      ),
      attemptsMax:
        options.attempts === undefined
          ? (task?.attempts ?? ATTEMPTS_DEFAULT)
          : requireAttempts('attempts', options.attempts),
      delayMs: options.delayMs === undefined ? 0 : requireMs('delayMs', options.delayMs),
      dueAt: options.at === undefined ? null : dueAtOf(options),
      unique,
      key: keyFor(task, options, input),
      meta: encodeMeta(options, this.#inherited),
    };
  }

  #unique(input: unknown, options: EnqueueOptions, queue: string): JobSpec['unique'] {
    const unique = options.unique === undefined ? (this.#task?.unique ?? false) : options.unique;
    if (unique === false) return null;
    return uniqueSpec(unique, { task: this.#name, queue, input }, (text) => this.#codec.digest(text));
  }
}

/** The JSON of another input for a job of this task, checked as at enqueue. Rejects with INPUT_INVALID, PAYLOAD_NOT_JSON, PAYLOAD_TOO_LARGE. */
export async function inputText(
  task: AnyDeclaration | string,
  input: unknown,
  codec: PayloadCodec,
): Promise<string | null> {
  const what = `the input of task ${show(typeof task === 'string' ? task : task.name)}`;
  const text = codec.text(input, what);
  const schema = typeof task === 'string' ? null : task.schema;
  if (schema !== null) await validate(schema, decodePayload(text, what), what);
  return text;
}

function requireUuid(id: unknown): string {
  if (typeof id === 'string' && UUID.test(id)) return id;
  throw optionInvalid('id', id, 'a UUID in lower case');
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Its input may go to a job that waits already. */
function mayReplace(unique: JobSpec['unique']): boolean {
  return unique?.mode === 'replace' || unique?.mode === 'debounce';
}

export interface SpecMeans {
  readonly codec: PayloadCodec;
  readonly clock: Clock;
  /** From the job whose handler enqueues. */
  readonly inherited?: JobMeta | null;
}

/** Null for a name. Throws TASK_INVALID. */
export function requireTask(task: AnyDeclaration | string): AnyDeclaration | null {
  if (typeof task === 'string') return null;
  if (isTask(task)) return task;
  throw new LongshoreError(
    'TASK_INVALID',
    `The task is ${show(task)}; expected what defineTask() or declareTask() returns, or a task's name.`,
  );
}

function dueAtOf(options: EnqueueOptions): number {
  if (options.delayMs !== undefined)
    throw optionInvalid('at', options.at, 'to be left out when delayMs is given');
  return requireTime('at', options.at);
}

/** Milliseconds since the epoch. Throws OPTION_INVALID. */
export function requireTime(field: string, at: unknown): number {
  const time = isDate(at) ? at.getTime() : at;
  if (typeof time === 'number' && time >= 0 && time <= DATE_MAX_MS) return time;
  throw optionInvalid(field, at, 'a valid Date or ms since the epoch');
}

function keyFor(definition: AnyDeclaration | null, options: EnqueueOptions, input: unknown): string | null {
  // A task made by a copy of the package that knew no keys has none.
  const { key = definition?.key ?? false } = options;
  if (key === false) return null;
  return requireKey('key', typeof key === 'function' ? key(input) : key);
}
