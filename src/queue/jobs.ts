import { optionInvalid, requireInteger, requireName, showNul } from '../core/errors.ts';
import type { PriorityName } from '../core/job.ts';
import { JOB_STATES, type JobState, statesThatAllow } from '../core/job-state.ts';
import { isDate } from '../core/legible.ts';
import { requirePriority } from '../core/task.ts';
import type { ControlReceipt, JobCommand, JobFilter, Store } from '../store/store.ts';
import { DATE_MAX_MS } from './enqueue.ts';
import { type HandleMeans, JobHandle } from './job-handle.ts';
import { type JobDetail, type JobView, jobDetail, jobView } from './job-view.ts';

/** Who acts and why: kept in the job's audit trail. */
export interface ActionOptions {
  /** 1 to 200 characters, no control characters; default `api`. */
  readonly by?: string;
  /** NUL becomes U+2400. */
  readonly why?: string;
}

export interface ListOptions {
  readonly state?: JobState | readonly JobState[];
  readonly queue?: string;
  readonly task?: string;
  /** 1 to 1,000; default 50. */
  readonly limit?: number;
  /** From the page before. */
  readonly cursor?: string;
}

/** Which jobs a bulk action takes: ids, or all in the states the action allows, narrowed by queue and task. */
export type Selection =
  | string
  | readonly string[]
  | { readonly queue?: string; readonly task?: string; readonly state?: JobState };

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

type Order = JobCommand extends infer C
  ? C extends JobCommand
    ? Omit<C, 'id' | 'by' | 'why'>
    : never
  : never;

const PAGE = 500;

/** Looks at jobs, and acts on them. `longshore.jobs`. */
export class Jobs {
  readonly #store: Store;
  readonly #means: HandleMeans;

  constructor(means: HandleMeans) {
    this.#store = means.store;
    this.#means = means;
  }

  /** The job with its errors, log and audit trail; null when there is none. */
  async get(id: string): Promise<JobDetail | null> {
    const [[job], trail] = await Promise.all([this.#store.get([id]), this.#store.trail(id)]);
    return job == null || trail === null ? null : jobDetail(job, trail, this.#means.codec);
  }

  /** A handle for a job enqueued elsewhere, e.g. to await its result. */
  handle<Result = unknown>(id: string): JobHandle<Result> {
    return new JobHandle<Result>(id, 'existing', this.#means);
  }

  /** Newest first. Throws OPTION_INVALID. */
  async list(options: ListOptions = {}): Promise<{ jobs: JobView[]; cursor: string | null }> {
    const page = await this.#store.list(filter(options));
    return { jobs: page.jobs.map((job) => jobView(job, this.#means.codec)), cursor: page.cursor };
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
    const encoded = this.#means.codec.encode(result, 'the result given by hand');
    return this.#act(selection, { type: 'resolve', result: encoded }, ['failed'], options);
  }

  /** Another time for waiting jobs: a Date or ms since the epoch. */
  async reschedule(selection: Selection, at: Date | number, options?: ActionOptions): Promise<ActionReport> {
    const dueAt = isDate(at) ? at.getTime() : at;
    if (!(dueAt >= 0 && dueAt <= DATE_MAX_MS))
      throw optionInvalid('at', at, 'a valid Date or ms since the epoch');
    return this.#act(selection, { type: 'reschedule', dueAt }, ['scheduled', 'ready'], options);
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
    const audit = auditOf(options);
    for await (const ids of this.#select(selection, states)) {
      const commands = ids.map((id) => ({ ...order, id, ...audit }) as JobCommand);
      const receipts = await this.#store.control(commands);
      for (const [index, id] of ids.entries()) file(report, id, receipts[index]);
    }
    return report;
  }

  async *#select(selection: Selection, states: readonly JobState[]): AsyncGenerator<readonly string[]> {
    if (typeof selection === 'string') return yield [selection];
    if (Array.isArray(selection)) {
      for (let start = 0; start < selection.length; start += PAGE) yield selection.slice(start, start + PAGE);
      return;
    }
    const { state, ...rest } = requireCriteria(selection);
    let cursor: string | undefined;
    do {
      const page = await this.#store.list({
        ...rest,
        states: state === undefined ? states : [state],
        limit: PAGE,
        ...(cursor === undefined ? {} : { cursor }),
      });
      if (page.jobs.length > 0) yield page.jobs.map((job) => job.id);
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
  }
}

function auditOf({ by = 'api', why }: ActionOptions): Pick<JobCommand, 'by' | 'why'> {
  requireName('by', by);
  if (why !== undefined && typeof why !== 'string') throw optionInvalid('why', why, 'a string');
  return { by, why: why === undefined ? null : showNul(why) };
}

const CRITERIA: readonly string[] = ['queue', 'task', 'state'];

/** A misspelt criterion would select every job there is. */
function requireCriteria(selection: Selection): Exclude<Selection, string | readonly string[]> {
  if (typeof selection !== 'object' || selection === null)
    throw optionInvalid('selection', selection, 'an id, an array of ids, or { queue, task, state }');
  const criteria = selection as Exclude<Selection, string | readonly string[]>;
  for (const [name, value] of Object.entries(criteria)) {
    if (!CRITERIA.includes(name)) throw optionInvalid('selection', name, CRITERIA.join(', '));
    if (value === undefined) throw optionInvalid(`selection.${name}`, value, 'a value, or to be left out');
    if (name === 'state') requireState(value);
  }
  return criteria;
}

function requireState(state: string): void {
  if (!(JOB_STATES as readonly string[]).includes(state))
    throw optionInvalid('state', state, JOB_STATES.join(', '));
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

function filter(options: ListOptions): JobFilter {
  const { state, queue, task, cursor, limit = 50 } = options;
  const states = state === undefined ? undefined : typeof state === 'string' ? [state] : state;
  for (const name of states ?? []) requireState(name);
  return {
    limit: requireInteger('limit', limit, 1, 1_000),
    ...(states === undefined ? {} : { states }),
    ...(queue === undefined ? {} : { queue }),
    ...(task === undefined ? {} : { task }),
    ...(cursor === undefined ? {} : { cursor }),
  };
}
