import type { Clock } from '../core/clock.ts';
import { type AttemptError, optionalText, optionInvalid, requireName, show } from '../core/errors.ts';
import type { PriorityName } from '../core/job.ts';
import { JOB_STATES, type JobState, statesThatAllow } from '../core/job-state.ts';
import { jobStepsKey } from '../core/job-steps.ts';
import { knownNames, requireKnown } from '../core/options.ts';
import { inputOf } from '../core/payload.ts';
import { type AnyDeclaration, requirePriority, requireQueue } from '../core/task.ts';
import { type Why, why } from '../core/why.ts';
import type { ControlReceipt, JobCommand, JobFilter, JobPage, Store } from '../store/store.ts';
import { storeTime } from '../store/store-time.ts';
import { type CountOptions, countJobs } from './counts.ts';
import { inputText, type ResultOf, requireTask, requireTime } from './enqueue.ts';
import { type HandleMeans, JobHandle } from './job-handle.ts';
import { signalJob } from './job-signal.ts';
import {
  type JobDetail,
  type JobView,
  jobDetail,
  jobView,
  type TypedDetail,
  typedDetail,
} from './job-view.ts';
import { filterOf, type ListOptions } from './list-options.ts';
import { type Criteria, requireId, requireSelection, type Selection } from './selection.ts';

/** Who acts and why: kept in the job's audit trail. */
export interface ActionOptions {
  /** 1 to 200 characters, no control characters; default `api`. */
  readonly by?: string;
  /** NUL becomes U+2400. */
  readonly why?: string;
}

/** What a bulk action did. */
export interface ActionReport {
  /** Ids the action was carried out on. */
  readonly done: readonly string[];
  /** Ids of running jobs that were asked to stop; they end as `cancelled` unless they complete or fail for good first. */
  readonly requested: readonly string[];
  /** Ids whose state does not allow it. */
  readonly refused: readonly { readonly id: string; readonly state: JobState }[];
  /** Ids of no job. */
  readonly unknown: readonly string[];
}

const ACTION_OPTIONS = knownNames<ActionOptions>({ by: true, why: true });
const COUNT_OPTIONS = knownNames<CountOptions>({ queue: true, task: true });

type Ordered = JobCommand extends infer C
  ? C extends JobCommand
    ? Omit<C, 'id' | 'by' | 'why'>
    : never
  : never;

type Order = Exclude<Ordered, { readonly type: 'edit' }> | EditOrder;

/** The task is part of the place that the input is sealed for. */
interface EditOrder {
  readonly type: 'edit';
  readonly input: string | null;
  readonly task: string;
}

const PAGE = 500;

export interface JobsMeans extends HandleMeans {
  readonly clock: Clock;
  /** A page of the jobs of a run. */
  readonly jobsOfRun: (run: string, filter: JobFilter) => Promise<JobPage>;
}

/** Looks at jobs, and acts on them. `longshore.jobs`. */
export class Jobs {
  readonly #store: Store;
  readonly #means: JobsMeans;

  constructor(means: JobsMeans) {
    this.#store = means.store;
    this.#means = means;
  }

  /** The job with its errors, log and audit trail; null when there is none. Rejects with OPTION_INVALID. */
  get(id: string): Promise<JobDetail | null>;
  /**
   * The same, typed by the job's task; the result is undefined until the job has completed. Rejects with OPTION_INVALID
   * for a job of another task, and with KEY_UNKNOWN, PAYLOAD_PLAIN or PAYLOAD_CORRUPT where a payload cannot be read.
   */
  get<T extends AnyDeclaration>(task: T, id: string): Promise<TypedDetail<T> | null>;
  async get(...given: [id: string] | [task: AnyDeclaration, id: string]): Promise<JobDetail | null> {
    const { task, id } = ofTask(given);
    const { capabilities } = this.#store;
    const [[job], trail, plan] = await Promise.all([
      this.#store.get([id]),
      this.#store.trail(id),
      capabilities.plans ? this.#store.plan(jobStepsKey(id), 'all') : null,
    ]);
    if (job == null || trail === null) return null;
    const { codec } = this.#means;
    const stored = { job, trail, plan };
    return task === null ? jobDetail(stored, codec) : typedDetail(task, stored, codec);
  }

  /** A handle for a job enqueued elsewhere, e.g. to await its result. */
  handle<Result = unknown>(id: string): JobHandle<Result>;
  /** The same, typed by the job's task; whether the job is of that task is not looked up. */
  handle<T extends AnyDeclaration>(task: T, id: string): JobHandle<ResultOf<T>>;
  handle(...given: [id: string] | [task: AnyDeclaration, id: string]): JobHandle {
    return new JobHandle(ofTask(given).id, 'existing', this.#means);
  }

  /** Newest first; of a run in the order of its steps. Rejects with OPTION_INVALID, RUN_UNKNOWN. */
  async list(options: ListOptions = {}): Promise<{ jobs: JobView[]; cursor: string | null }> {
    const filter = filterOf(options);
    const { run } = options;
    const page = await (run === undefined ? this.#store.list(filter) : this.#means.jobsOfRun(run, filter));
    return { jobs: page.jobs.map((job) => jobView(job, this.#means.codec)), cursor: page.cursor };
  }

  /**
   * How many jobs there are in each state, in all or of one queue. With `task` each job of the queue, or of the store, is
   * looked at, which takes as long as listing them. Rejects with OPTION_INVALID.
   */
  async counts(options: CountOptions = {}): Promise<Record<JobState, number>> {
    requireKnown('jobs.counts', options, COUNT_OPTIONS);
    const { queue, task } = options;
    const of = {
      ...(queue === undefined ? {} : { queue: requireQueue('queue', queue) }),
      ...(task === undefined ? {} : { task: requireName('task', task) }),
    };
    return countJobs(this.#store, of);
  }

  /**
   * Sends a signal to a job, whose handler may wait for it (`ctx.waitFor`). One that comes before the wait is kept; of those of
   * one name the first counts. Rejects with JOB_UNKNOWN, JOB_STATE_REFUSED, PAYLOAD_NOT_JSON, PAYLOAD_TOO_LARGE, OPTION_INVALID.
   */
  async signal(id: string, name: string, payload?: unknown): Promise<void> {
    return signalJob(this.#means, { id: requireId('id', id), name, payload });
  }

  /** Why the job does not run, from what the store can tell in a moment; null when there is no such job. Rejects with OPTION_INVALID. */
  async why(id: string): Promise<Why | null> {
    const store = this.#store;
    const [[job], queues, workers, now] = await Promise.all([
      store.get([requireId('id', id)]),
      store.queues(),
      store.workers(),
      storeTime(store, this.#means.clock),
    ]);
    return job == null ? null : why(job, { queues, workers, now });
  }

  /** Errors of the last attempts of these jobs, in that order; null where none was kept. Rejects with OPTION_INVALID. */
  async lastErrors(ids: readonly string[]): Promise<(AttemptError | null)[]> {
    for (const [index, id] of ids.entries()) requireId(`ids[${index}]`, id);
    const trails = await Promise.all(ids.map((id) => this.#store.trail(id)));
    return trails.map((trail) => trail?.errors.at(-1) ?? null);
  }

  /** Waiting jobs are cancelled; running ones see their signal abort. */
  cancel(selection: Selection, options?: ActionOptions): Promise<ActionReport> {
    return this.#act(selection, { type: 'cancel' }, statesThatAllow('cancel'), options);
  }

  /** Failed or cancelled jobs run again, with a fresh budget of attempts; their errors are kept. Without ids or a state, the failed ones. */
  redrive(selection: Selection, options?: ActionOptions): Promise<ActionReport> {
    return this.#act(selection, { type: 'redrive' }, ['failed'], options);
  }

  /** Failed jobs count as completed: resolved by hand, with a result where one is given. Throws PAYLOAD_NOT_JSON. */
  async resolve(selection: Selection, result?: unknown, options?: ActionOptions): Promise<ActionReport> {
    const text = this.#means.codec.text(result, 'the result given by hand');
    return this.#act(selection, { type: 'resolve', result: text }, ['failed'], options);
  }

  /** Another time for waiting jobs: a Date or ms since the epoch. */
  async reschedule(selection: Selection, at: Date | number, options?: ActionOptions): Promise<ActionReport> {
    const order = { type: 'reschedule', dueAt: requireTime('at', at) } as const;
    return this.#act(selection, order, ['scheduled', 'ready'], options);
  }

  /** Another priority for waiting jobs. */
  async reprioritize(
    selection: Selection,
    priority: number | PriorityName,
    options?: ActionOptions,
  ): Promise<ActionReport> {
    const order = { type: 'reprioritize', priority: requirePriority('priority', priority) } as const;
    return this.#act(selection, order, ['scheduled', 'ready'], options);
  }

  /**
   * Another input for a waiting job, checked by the schema of `task` where one is given; a unique key that was made of the
   * old input stays. Rejects with INPUT_INVALID, PAYLOAD_NOT_JSON, PAYLOAD_TOO_LARGE, and OPTION_INVALID for a job of another task.
   */
  async edit(
    id: string,
    input: unknown,
    { task, ...options }: ActionOptions & { readonly task?: AnyDeclaration } = {},
  ): Promise<ActionReport> {
    const [job] = await this.#store.get([requireId('id', id)]);
    if (job == null) return { done: [], requested: [], refused: [], unknown: [id] };
    if (task !== undefined && task.name !== job.task)
      throw optionInvalid('task', task.name, `${show(job.task)}, the task of job ${id}`);
    const text = await inputText(task ?? job.task, input, this.#means.codec);
    return this.#act(id, { type: 'edit', input: text, task: job.task }, ['scheduled', 'ready'], options);
  }

  /** Deletes jobs that are not running, with all that was kept of them. */
  remove(selection: Selection, options?: ActionOptions): Promise<ActionReport> {
    const removable = JOB_STATES.filter((state) => state !== 'running');
    return this.#act(selection, { type: 'remove' }, removable, options);
  }

  async #act(
    selection: Selection,
    order: Order,
    states: readonly JobState[],
    options: ActionOptions = {},
  ): Promise<ActionReport> {
    const report: Filing = { done: [], requested: [], refused: [], unknown: [] };
    const selected = requireSelection(selection);
    const audit = auditOf(`jobs.${order.type}`, options);
    for await (const ids of this.#select(selected, states)) {
      const commands = ids.map((id) => ({ ...this.#sealed(order, id), id, ...audit }) as JobCommand);
      const receipts = await this.#store.control(commands);
      for (const [index, id] of ids.entries()) file(report, id, receipts[index]);
    }
    return report;
  }

  /** A result is JSON text until here, since sealed text belongs to its job. */
  #sealed(order: Order, id: string): Order {
    const { codec } = this.#means;
    if (order.type === 'resolve')
      return { ...order, result: codec.seal(order.result, { role: 'result', id }) };
    if (order.type !== 'edit') return order;
    return { type: 'edit', input: codec.seal(order.input, inputOf({ task: order.task, id })) } as Order;
  }

  async *#select(
    selection: readonly string[] | Criteria,
    states: readonly JobState[],
  ): AsyncGenerator<readonly string[]> {
    if (Array.isArray(selection)) {
      for (let start = 0; start < selection.length; start += PAGE) yield selection.slice(start, start + PAGE);
      return;
    }
    const { all: _, state, states: several, ...rest } = selection as Criteria;
    let cursor: string | undefined;
    do {
      const page = await this.#store.list({
        ...rest,
        states: several ?? (state === undefined ? states : [state]),
        limit: PAGE,
        ...(cursor === undefined ? {} : { cursor }),
      });
      if (page.jobs.length > 0) yield page.jobs.map((job) => job.id);
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
  }
}

function ofTask(given: [id: string] | [task: AnyDeclaration, id: string]): {
  readonly task: AnyDeclaration | null;
  readonly id: string;
} {
  return given.length === 1
    ? { task: null, id: requireId('id', given[0]) }
    : { task: requireTask(given[0]), id: requireId('id', given[1]) };
}

function auditOf(verb: string, options: ActionOptions): Pick<JobCommand, 'by' | 'why'> {
  requireKnown(verb, options, ACTION_OPTIONS);
  const { by = 'api', why } = options;
  requireName('by', by);
  return { by, why: optionalText('why', why) };
}

interface Filing {
  readonly done: string[];
  readonly requested: string[];
  readonly refused: { id: string; state: JobState }[];
  readonly unknown: string[];
}

function file(report: Filing, id: string, receipt: ControlReceipt | undefined): void {
  if (receipt === undefined || receipt.status === 'unknown') report.unknown.push(id);
  else if (receipt.status === 'refused') report.refused.push({ id, state: receipt.state ?? 'running' });
  else if (receipt.status === 'requested') report.requested.push(id);
  else report.done.push(id);
}
