import type { LongshoreError } from '../core/errors.ts';
import { answerTo, hearAlive, hearLog } from './hear-notes.ts';
import { type HostEnd, type HostLine, type HostStarter, startHost } from './host-starter.ts';
import type { LaneName } from './lane.ts';
import { UnfitJob } from './lane.ts';
import type { PoolJob } from './pool-job.ts';
import type {
  AskMessage,
  DoneMessage,
  DyingMessage,
  FailedMessage,
  FromHost,
  HostSettings,
} from './protocol.ts';
import { packRun, unpackDone } from './short-text.ts';
import { readSlateLine } from './slate-line.ts';
import { unloadable } from './unloadable.ts';
import { packError, unpackError } from './wire-error.ts';

/**
 * One host and the jobs in it, as the pool sees them. Loads a task before its first job there, and passes on what jobs
 * say. Several jobs that it was handed at once, a *batch*, it runs one after the other.
 */
export class Host {
  readonly jobs = new Map<number, PoolJob>();
  /** Takes no more jobs, and ends when it has none. */
  retiring = false;
  /** Jobs given to it so far. */
  taken = 0;
  /** It told that it runs. */
  ready = false;
  /** Nothing else may join the job in it. */
  reserved = false;
  lastWords: DyingMessage | null = null;
  /** Why it was killed by the pool, and for whose sake. */
  killed: Killing | null = null;
  readonly #options: HostOptions;
  readonly #line: HostLine;
  readonly #loaded = new Set<number>();
  readonly #loadTimers = new Map<number, NodeJS.Timeout>();
  /** Those that have begun or may begin, in their order; null: there is none, or it had one job. */
  #batch: PoolJob[] | null = null;
  #tookBack = false;
  /** Jobs that have ended in it, and how many had at the last look at this batch. */
  #ended = 0;
  #endedAtLook = -1;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#line = startHost(options.start, options.settings, {
      onMessage: (message) => this.#hear(typeof message === 'string' ? unpackDone(message) : message),
      onEnd: (end) => {
        for (const timer of this.#loadTimers.values()) clearTimeout(timer);
        options.onEnd(this, end);
        this.#line.slate?.close();
      },
    });
  }

  get id(): number {
    return this.#line.id;
  }

  /** It can be handed several jobs at once. */
  get takesBatches(): boolean {
    return this.#line.slate !== null;
  }

  /** It has a batch, which may not have come to its end there even when all its jobs have. */
  get inBatch(): boolean {
    return this.#batch !== null;
  }

  /** Jobs of its batch may begin and end that are not heard of. Else the end of the one that runs is told at once. */
  get looksPay(): boolean {
    return this.#batch !== null && !this.#tookBack;
  }

  /** The one job whose code can run in it now, where there is one. Of a batch: the last that has begun; call `takeBack` before. */
  get current(): PoolJob | null {
    const last = this.#batch === null ? [...this.jobs.values()] : this.#batch.slice(-1);
    const [job] = last;
    return last.length === 1 && job !== undefined && this.jobs.has(job.number) ? job : null;
  }

  has(task: number): boolean {
    return this.#loaded.has(task);
  }

  /** More than one only where it takes batches, has loaded their tasks, and has nothing to do. */
  take(batch: PoolJob[]): void {
    this.taken += batch.length;
    for (const job of batch) this.jobs.set(job.number, job);
    const job = batch[0] as PoolJob;
    if (this.#loaded.has(job.task.number)) {
      this.#run(batch);
      return;
    }
    this.#loadTimers.set(
      job.number,
      setTimeout(() => this.#loadTooLong(job), LOAD_MAX_MS),
    );
    const { number: task, name, module } = job.task;
    this.#line.post({ type: 'load', job: job.number, task, name, module });
  }

  /** What has not begun of its batch, in order. Then it is known of each job in it whether it has. */
  takeBack(): PoolJob[] {
    const batch = this.#batch;
    if (batch === null) return [];
    const count = this.#line.slate?.takeBack() ?? 0;
    this.#tookBack = true;
    // Not before: what ends until then is written, and nothing begins any more.
    this.#readSlate();
    const jobs = batch.splice(batch.length - count);
    this.taken -= count;
    for (const { number } of jobs) this.jobs.delete(number);
    this.current?.begin();
    return jobs;
  }

  /** Hears of the ends of its batch's jobs. What has not begun comes back where none has ended since the last look. */
  look(): PoolJob[] {
    if (this.#batch === null) return [];
    this.#readSlate();
    const stands = this.#ended === this.#endedAtLook;
    this.#endedAtLook = this.#ended;
    return stands ? this.takeBack() : [];
  }

  abort({ number }: PoolJob, reason: LongshoreError): void {
    this.#line.post({ type: 'abort', job: number, reason: packError(reason) });
  }

  kill(killing: Killing): void {
    if (this.killed !== null) return;
    this.killed = killing;
    this.retiring = true;
    this.#line.kill();
  }

  /** Lets it run its exit listeners; one that does not end by itself is killed. */
  close(): void {
    this.retiring = true;
    this.#line.post({ type: 'close' });
    setTimeout(() => this.#line.kill(), CLOSE_MAX_MS).unref();
  }

  #run(batch: PoolJob[]): void {
    const first = batch[0] as PoolJob;
    first.begin();
    if (batch.length > 1) {
      this.#batch = batch;
      this.#tookBack = false;
      this.#endedAtLook = -1;
      this.#line.slate?.open(batch.length - 1);
    }
    const jobs = batch.map((job) => job.message());
    this.#line.post(packRun({ type: 'run', jobs, measure: first.onUsage !== undefined }));
  }

  #readSlate(): void {
    const text = this.#line.slate?.read() ?? '';
    if (text === '') return;
    for (const line of text.split('\n')) {
      if (line === '') break;
      const { job: number, ranMs, result } = readSlateLine(line);
      const job = this.jobs.get(number);
      if (job === undefined || this.killed?.job === job) continue;
      this.#ended += 1;
      this.jobs.delete(number);
      job.resolve(result, ranMs, null);
    }
  }

  #onDry(): void {
    this.#readSlate();
    this.#batch = null;
    this.#options.onFree(this);
  }

  #hear(message: FromHost): void {
    if (message.type === 'ready') this.ready = true;
    else if (message.type === 'dying') this.lastWords = message;
    else if (message.type === 'dry') this.#onDry();
    else {
      const job = this.jobs.get(message.job);
      if (job !== undefined && this.killed?.job !== job) this.#hearOf(job, message);
    }
  }

  #hearOf(job: PoolJob, message: JobMessage): void {
    switch (message.type) {
      case 'loaded':
        this.#onLoaded(job);
        break;
      case 'unloadable':
        // An import that failed stays failed in a thread: the next job gets a new one.
        this.retiring = true;
        this.#leave(job);
        job.reject(unloadable(job, unpackError(message.error)));
        break;
      case 'alive':
        job.begin();
        hearAlive(job.job, message.progress);
        break;
      case 'ask':
        job.begin();
        void this.#answer(job, message);
        break;
      case 'log':
        job.begin();
        hearLog(job.job, message.message, message.data);
        break;
      default:
        this.#onEnded(job, message);
    }
  }

  async #answer({ number, job }: PoolJob, { call, verb, given }: AskMessage): Promise<void> {
    const answer = { type: 'answer', job: number, call } as const;
    try {
      const value = await answerTo(job, verb, given);
      this.#line.post({ ...answer, value: value === undefined ? null : JSON.stringify(value), error: null });
    } catch (error) {
      this.#line.post({ ...answer, value: null, error: packError(error) });
    }
  }

  #onEnded(job: PoolJob, message: DoneMessage | FailedMessage): void {
    const { ranMs, usage, last, spent } = message;
    if (spent) this.retiring = true;
    this.#ended += 1;
    this.#readSlate();
    if (last) this.#batch = null;
    this.#leave(job);
    if (message.type === 'done') {
      job.resolve(message.result, ranMs, usage);
      return;
    }
    const error = unpackError(message.error);
    job.reject(message.unfit ? new UnfitJob(error as LongshoreError) : error, ranMs, usage);
  }

  #onLoaded(job: PoolJob): void {
    this.#stopLoadTimer(job);
    this.#loaded.add(job.task.number);
    const { abortReason } = job.job;
    if (abortReason === null) {
      this.#run([job]);
      return;
    }
    this.#leave(job);
    job.reject(abortReason);
  }

  #leave(job: PoolJob): void {
    this.#stopLoadTimer(job);
    this.jobs.delete(job.number);
    if (this.#batch === null) this.#options.onFree(this);
  }

  #stopLoadTimer({ number }: PoolJob): void {
    clearTimeout(this.#loadTimers.get(number));
    this.#loadTimers.delete(number);
  }

  #loadTooLong(job: PoolJob): void {
    const error = unloadable(job, new Error(`it was still loading after ${LOAD_MAX_MS / 1_000} s`));
    this.kill({ job, error });
  }
}

/** A module that waits for something at its top level must not hold a host for ever. */
const LOAD_MAX_MS = 30_000;
const CLOSE_MAX_MS = 1_000;

export interface HostOptions {
  readonly lane: LaneName;
  readonly start: HostStarter;
  readonly settings: HostSettings;
  /** A job has left it, or its batch. */
  readonly onFree: (host: Host) => void;
  readonly onEnd: (host: Host, end: HostEnd) => void;
}

export interface Killing {
  /** Whose code had to be stopped; null: the pool closes. */
  readonly job: PoolJob | null;
  /** What that job is told. */
  readonly error: unknown;
}

type JobMessage = Exclude<FromHost, { readonly type: 'ready' | 'dying' | 'dry' }>;
