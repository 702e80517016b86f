import { type AttemptError, LongshoreError } from '../core/errors.ts';
import type { PayloadCodec } from '../core/payload.ts';
import type { WaitOptions } from '../core/wait.ts';
import type { EnqueueReceipt, Store } from '../store/store.ts';
import { endedUnkept } from './gone.ts';
import type { JobEnd } from './job-end.ts';
import { type JobView, jobView } from './job-view.ts';
import type { Watch } from './watch.ts';

/** What all handles of a client share. */
export interface HandleMeans {
  readonly store: Store;
  readonly watch: Watch;
  readonly codec: PayloadCodec;
}

/** What `enqueue` returns: the id, and ways to follow the job. `Result` is what JSON makes of the handler's result. */
export class JobHandle<Result = unknown> {
  readonly id: string;
  /** `created`, or what became of the unique key: `existing` (this is the holder) or `replaced`. */
  readonly status: Exclude<EnqueueReceipt['status'], 'conflict'>;
  readonly #means: HandleMeans;

  constructor(id: string, status: JobHandle['status'], means: HandleMeans) {
    this.id = id;
    this.status = status;
    this.#means = means;
  }

  /**
   * Resolves to the handler's result, as JSON made it, once the job has completed, in whichever process.
   * Rejects with JOB_FAILED (its `cause` has the last attempt's name, message and stack), JOB_CANCELLED,
   * JOB_UNKNOWN (removed, or beyond retention), RESULT_TIMEOUT, OPTION_INVALID, or the signal's reason.
   * Where the queue keeps nothing of ended jobs, it must be called before the end, and comes from the worker that ran the job: at
   * most 256 KiB as JSON on another connection, and not once that worker has stopped.
   */
  async result(options?: WaitOptions): Promise<Result> {
    const end = await this.#means.watch.wait(this.id, options);
    if (end.state === 'completed') {
      const place = { role: 'result', id: this.id } as const;
      return this.#means.codec.decode(end.result, place, `the result of job ${this.id}`) as Result;
    }
    const trail = end.job === null ? null : await this.#means.store.trail(this.id);
    throw endError(this.id, end, trail?.errors.at(-1) ?? end.error);
  }

  /** Resolves once the job is in a terminal state, whichever it is. Rejects as `result` does, but never for the state. */
  async ended(options?: WaitOptions): Promise<JobView> {
    const { job, state } = await this.#means.watch.wait(this.id, options);
    if (job === null) throw endedUnkept(this.id, state);
    return jobView(job, this.#means.codec);
  }
}

function endError(id: string, { state, job }: JobEnd, last: AttemptError | null): LongshoreError {
  const named = job === null ? `Job ${id}` : `Job ${id} (task '${job.task}', queue '${job.queue}')`;
  const attempt = job?.attempt ?? last?.attempt;
  const details = { id, ...(job === null ? {} : { task: job.task, queue: job.queue }), attempt };
  if (state === 'cancelled')
    return new LongshoreError('JOB_CANCELLED', `${named} was cancelled.`, { details });
  const said = last === null ? 'no error was kept' : `${last.name}: ${last.message}`;
  return new LongshoreError('JOB_FAILED', `${named} failed at attempt ${attempt}: ${said}`, {
    cause: toError(last),
    details,
  });
}

function toError(kept: AttemptError | null): Error | undefined {
  if (kept === null) return undefined;
  const error = new Error(kept.message);
  error.name = kept.name;
  if (kept.stack !== null) error.stack = kept.stack;
  return error;
}
