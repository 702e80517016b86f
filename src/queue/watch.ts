import { BATCH_CHARS_MAX, sumOf } from '../core/batch.ts';
import type { CancelTimer, Clock } from '../core/clock.ts';
import { LongshoreError, mayPass } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import { isTerminal } from '../core/job-state.ts';
import { type Waiter, type WaitOptions, waitForEnd } from '../core/wait.ts';
import type { Store } from '../store/store.ts';
import type { FarEnds } from './far-ends.ts';
import { gone, notKept } from './gone.ts';
import type { End, JobEnd } from './job-end.ts';

/**
 * Waits for jobs to end, whichever process runs them. One watch per client serves all waiters with one batched read
 * per hint of the store ("settled"), and one per poll interval in case hints are lost. Where a queue keeps nothing of
 * ended jobs, the watch knows the end if this connection wrote it (hear-ends.ts), and asks the others (far-ends.ts).
 */

const POLL_MS = 1_000;
/** Jobs of one read; fewer after one that failed, or brought large jobs. */
const READ_MAX = 1_000;

/** A job that somebody awaits. */
interface Awaited {
  readonly waiters: Set<Waiter<JobEnd>>;
  /** As it was when it was read last; null before. */
  seen: Job | null;
  /** Written by this connection. */
  written: JobEnd | null;
  /** The job is gone, and other connections are asked how it ended. */
  asking: boolean;
}

export class Watch {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #awaited = new Map<string, Awaited>();
  /** The jobs of writes under way, which may end and delete them. */
  readonly #writes = new Set<readonly { readonly id: string }[]>();
  #unsubscribe: (() => void) | null = null;
  #cancelPoll: CancelTimer | null = null;
  #reading = false;
  #again = false;
  #readMax = READ_MAX;
  #keepOpen: NodeJS.Timeout | null = null;
  readonly #far: FarEnds | null;

  constructor(store: Store, clock: Clock, far: FarEnds | null = null) {
    this.#store = store;
    this.#clock = clock;
    this.#far = far;
  }

  /**
   * Resolves once the job's state is terminal. Rejects with JOB_UNKNOWN, RESULT_TIMEOUT, STORE_CLOSED, OPTION_INVALID or
   * the signal's reason.
   */
  async wait(id: string, options: WaitOptions = {}): Promise<JobEnd> {
    return waitForEnd<JobEnd>(options, {
      what: 'the wait for a job',
      clock: this.#clock,
      timedOut: (timeoutMs) => timedOut(id, timeoutMs),
      add: (waiter) => this.#add(id, waiter),
      remove: (waiter) => this.#remove(id, waiter),
    });
  }

  /** Rejects every waiter. */
  close(): void {
    this.#rejectAll(
      new LongshoreError('STORE_CLOSED', 'The client was closed while waiting for a job to end.'),
    );
  }

  /** A write begins that may end these jobs: until it is over, nobody is told that one of them is gone. */
  writes(jobs: readonly { readonly id: string }[]): void {
    this.#writes.add(jobs);
  }

  /** The write is over. `endOf` says how it ended a job; null where it did not. */
  wrote<Written extends { readonly id: string }>(
    jobs: readonly Written[],
    endOf: (job: Written, index: number) => End | null,
  ): void {
    this.#writes.delete(jobs);
    if (this.#awaited.size === 0) return;
    let isAwaited = false;
    for (let index = 0; index < jobs.length; index += 1) {
      const job = jobs[index] as Written;
      const awaited = this.#awaited.get(job.id);
      if (awaited === undefined) continue;
      const end = endOf(job, index);
      awaited.written = end === null ? null : { ...end, job: null };
      isAwaited = true;
    }
    if (isAwaited) this.#read();
  }

  #rejectAll(error: unknown): void {
    for (const { waiters } of [...this.#awaited.values()])
      for (const waiter of [...waiters]) waiter.reject(error);
  }

  #add(id: string, waiter: Waiter<JobEnd>): void {
    const awaited = this.#awaited.get(id) ?? { waiters: new Set(), seen: null, written: null, asking: false };
    awaited.waiters.add(waiter);
    this.#awaited.set(id, awaited);
    this.#unsubscribe ??= this.#store.notifier.subscribe('settled', () => this.#read());
    this.#far?.awaits(true);
    // Somebody awaits: the process must stay, although hints and polls never hold it.
    this.#keepOpen ??= setInterval(() => undefined, 2 ** 30);
    this.#read();
  }

  #remove(id: string, waiter: Waiter<JobEnd>): void {
    const awaited = this.#awaited.get(id);
    awaited?.waiters.delete(waiter);
    if (awaited?.waiters.size === 0) this.#awaited.delete(id);
    if (this.#awaited.size > 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#far?.awaits(false);
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
          // A store that is busy or away costs a wait nothing but time.
          if (mayPass(error)) return this.#afterRead();
          this.#rejectAll(error);
          this.#reading = false;
        },
      );
    });
  }

  async #readAll(): Promise<void> {
    const ids = [...this.#awaited.keys()];
    for (let start = 0; start < ids.length; ) {
      const slice = ids.slice(start, start + this.#readMax);
      const jobs = await this.#get(slice);
      start += slice.length;
      const missing = slice.filter((id, index) => !this.#deliver(id, jobs[index] ?? null));
      if (missing.length > 0) await this.#seek(missing);
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

  /** Tells the waiters of a job that has ended. False: the job is gone, and nobody here knows how it ended. */
  #deliver(id: string, job: Job | null): boolean {
    const awaited = this.#awaited.get(id);
    if (awaited === undefined) return true;
    const end = job === null ? awaited.written : endOf(job);
    if (end !== null) for (const waiter of [...awaited.waiters]) waiter.resolve(end);
    else if (job !== null) awaited.seen = job;
    else return awaited.asking || this.#isBeingWritten(id);
    return true;
  }

  #isBeingWritten(id: string): boolean {
    for (const jobs of this.#writes) if (jobs.some((job) => job.id === id)) return true;
    return false;
  }

  /** Resolves at once where others have to be asked: the reading goes on meanwhile. */
  async #seek(ids: readonly string[]): Promise<void> {
    if (this.#far === null) return this.#tellGone(ids);
    const awaited = ids.flatMap((id) => this.#awaited.get(id) ?? []);
    for (const one of awaited) one.asking = true;
    void this.#far.ask(ids).then(async (ends) => {
      for (const one of awaited) one.asking = false;
      for (const [id, end] of ends)
        for (const waiter of [...(this.#awaited.get(id)?.waiters ?? [])])
          waiter.resolve({ ...end, job: null });
      await this.#tellGone(ids.filter((id) => !ends.has(id)));
    });
  }

  async #tellGone(ids: readonly string[]): Promise<void> {
    // A job that was there and is gone may have been of a queue that keeps nothing, which is asked once for all.
    const wasSeen = ids.some((id) => (this.#awaited.get(id)?.seen ?? null) !== null);
    const queues = wasSeen ? await this.#store.queues().catch(() => []) : [];
    for (const id of ids) {
      const { waiters = [], seen = null } = this.#awaited.get(id) ?? {};
      const error = seen === null ? gone(id) : notKept(seen, queues);
      for (const waiter of [...waiters]) waiter.reject(error);
    }
  }

  #afterRead(): void {
    this.#reading = false;
    if (this.#awaited.size === 0) return;
    this.#cancelPoll?.();
    if (this.#again) this.#read();
    else this.#cancelPoll = this.#clock.after(POLL_MS, () => this.#read());
  }
}

function endOf(job: Job): JobEnd | null {
  const { state, result } = job;
  return isTerminal(state) ? { state, result, job, error: null } : null;
}

/** Of this realm or another: what is asked of it counts. */
function charsOfJob(job: Job | null): number {
  return 1 + (job?.input?.length ?? 0) + (job?.result?.length ?? 0) + (job?.progress?.length ?? 0);
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
