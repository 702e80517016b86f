import { BATCH_CHARS_MAX, sumOf } from '../core/batch.ts';
import type { CancelTimer, Clock } from '../core/clock.ts';
import { LongshoreError, requireMs } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import { isTerminal } from '../core/job-state.ts';
import type { Store } from '../store/store.ts';

/**
 * Waits for jobs to end, whichever process runs them. One watch per client serves all waiters with one batched read
 * per hint of the store ("settled"), and one per poll interval in case hints are lost.
 */

export interface WaitOptions {
  /** Give up after this long; default: never. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const POLL_MS = 1_000;
/** Jobs of one read; fewer after one that failed, or brought large jobs. */
const READ_MAX = 1_000;

interface Waiter {
  readonly resolve: (job: Job) => void;
  readonly reject: (error: unknown) => void;
}

export class Watch {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #waiters = new Map<string, Set<Waiter>>();
  #unsubscribe: (() => void) | null = null;
  #cancelPoll: CancelTimer | null = null;
  #reading = false;
  #again = false;
  #readMax = READ_MAX;
  #keepOpen: NodeJS.Timeout | null = null;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Resolves to the job once its state is terminal. Rejects with JOB_UNKNOWN, RESULT_TIMEOUT, STORE_CLOSED or the signal's reason. */
  wait(id: string, options: WaitOptions = {}): Promise<Job> {
    const { timeoutMs, signal } = options;
    if (timeoutMs !== undefined) requireMs('timeoutMs', timeoutMs);
    return new Promise<Job>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const finish = (settle: () => void): void => {
        cancelTimeout?.();
        signal?.removeEventListener('abort', onAbort);
        this.#remove(id, waiter);
        settle();
      };
      const waiter: Waiter = {
        resolve: (job) => finish(() => resolve(job)),
        reject: (error) => finish(() => reject(error)),
      };
      const onAbort = (): void => waiter.reject(signal?.reason);
      const cancelTimeout =
        timeoutMs === undefined
          ? null
          : this.#clock.after(timeoutMs, () => waiter.reject(timedOut(id, timeoutMs)));
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#add(id, waiter);
    });
  }

  /** Rejects every waiter. */
  close(): void {
    const error = new LongshoreError('STORE_CLOSED', 'The client was closed while waiting for a job to end.');
    for (const waiters of [...this.#waiters.values()])
      for (const waiter of [...waiters]) waiter.reject(error);
  }

  #add(id: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(id) ?? new Set();
    waiters.add(waiter);
    this.#waiters.set(id, waiters);
    this.#unsubscribe ??= this.#store.notifier.subscribe('settled', () => this.#read());
    // Somebody awaits: the process must stay, although hints and polls never hold it.
    this.#keepOpen ??= setInterval(() => undefined, 2 ** 30);
    this.#read();
  }

  #remove(id: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(id);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.#waiters.delete(id);
    if (this.#waiters.size > 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#cancelPoll?.();
    this.#cancelPoll = null;
    if (this.#keepOpen !== null) clearInterval(this.#keepOpen);
    this.#keepOpen = null;
  }

  #read(): void {
    if (this.#reading) {
      this.#again = true;
      return;
    }
    this.#reading = true;
    this.#again = false;
    // One turn later, so that all waits begun in this turn share the read.
    setImmediate(() => {
      this.#readAll().then(
        () => this.#afterRead(),
        (error: unknown) => {
          if (mayPass(error)) return this.#afterRead();
          for (const waiters of [...this.#waiters.values()])
            for (const waiter of [...waiters]) waiter.reject(error);
          this.#reading = false;
        },
      );
    });
  }

  async #readAll(): Promise<void> {
    const ids = [...this.#waiters.keys()];
    for (let start = 0; start < ids.length; ) {
      const slice = ids.slice(start, start + this.#readMax);
      const jobs = await this.#get(slice);
      start += slice.length;
      for (const [index, id] of slice.entries()) this.#deliver(id, jobs[index] ?? null);
    }
  }

  async #get(ids: readonly string[]): Promise<(Job | null)[]> {
    try {
      const jobs = await this.#store.get(ids);
      const fitting = (BATCH_CHARS_MAX * ids.length) / sumOf(jobs, charsOfJob);
      this.#readMax = Math.ceil(Math.min(READ_MAX, this.#readMax * 2, fitting));
      return jobs;
    } catch (error) {
      this.#readMax = Math.ceil(ids.length / 2);
      throw error;
    }
  }

  #deliver(id: string, job: Job | null): void {
    const waiters = this.#waiters.get(id);
    if (waiters === undefined || (job !== null && !isTerminal(job.state))) return;
    for (const waiter of [...waiters]) job === null ? waiter.reject(gone(id)) : waiter.resolve(job);
  }

  #afterRead(): void {
    this.#reading = false;
    if (this.#waiters.size === 0) return;
    this.#cancelPoll?.();
    if (this.#again) this.#read();
    else this.#cancelPoll = this.#clock.after(POLL_MS, () => this.#read());
  }
}

function charsOfJob(job: Job | null): number {
  return 1 + (job?.input?.length ?? 0) + (job?.result?.length ?? 0) + (job?.progress?.length ?? 0);
}

/** A store that is busy or away costs a wait nothing but time. */
function mayPass(error: unknown): boolean {
  return error instanceof LongshoreError && error.retryable && error.code !== 'STORE_FAILED';
}

function timedOut(id: string, timeoutMs: number): LongshoreError {
  return new LongshoreError(
    'RESULT_TIMEOUT',
    `Job ${id} did not end within ${timeoutMs} ms. It goes on; only the wait is over.`,
    {
      details: { id, timeoutMs },
    },
  );
}

function gone(id: string): LongshoreError {
  return new LongshoreError(
    'JOB_UNKNOWN',
    `There is no job ${id}: it was removed, its queue's retention had already deleted it when its result was asked for, or the transaction that enqueues it has not been committed.`,
    { details: { id } },
  );
}
