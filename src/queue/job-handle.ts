import { type AttemptError, LongshoreError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import type { PayloadCodec } from '../core/payload.ts';
import type { EnqueueReceipt, Store } from '../store/store.ts';
import { type JobView, jobView } from './job-view.ts';
import type { WaitOptions, Watch } from './watch.ts';

/** What all handles of a client share. */
export interface HandleMeans {
  readonly store: Store;
  readonly watch: Watch;
  readonly codec: PayloadCodec;
}

/** What `enqueue` returns: the id, and ways to follow the job. `Result` is inferred from the task. */
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
   * Resolves to the handler's result once the job has completed, in whichever process.
   * Rejects with JOB_FAILED (its `cause` has the last attempt's name, message and stack), JOB_CANCELLED,
   * JOB_UNKNOWN (removed, or beyond retention), RESULT_TIMEOUT, or the signal's reason.
   */
  async result(options?: WaitOptions): Promise<Result> {
    const job = await this.#means.watch.wait(this.id, options);
    if (job.state === 'completed') {
      const place = { role: 'result', id: job.id } as const;
      return this.#means.codec.decode(job.result, place, `the result of job ${job.id}`) as Result;
    }
    const trail = await this.#means.store.trail(this.id);
    throw endError(job, trail?.errors.at(-1) ?? null);
  }

  /** Resolves once the job is in a terminal state, whichever it is. */
  async ended(options?: WaitOptions): Promise<JobView> {
    return jobView(await this.#means.watch.wait(this.id, options), this.#means.codec);
  }
}

function endError(job: Job, last: AttemptError | null): LongshoreError {
  const named = `Job ${job.id} (task '${job.task}', queue '${job.queue}')`;
  const details = { id: job.id, task: job.task, queue: job.queue, attempt: job.attempt };
  if (job.state === 'cancelled')
    return new LongshoreError('JOB_CANCELLED', `${named} was cancelled.`, { details });
  const said = last === null ? 'no error was kept' : `${last.name}: ${last.message}`;
  return new LongshoreError('JOB_FAILED', `${named} failed at attempt ${job.attempt}: ${said}`, {
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
