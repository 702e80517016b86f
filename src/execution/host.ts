import { LongshoreError } from '../core/errors.ts';
import type { HostEnd, HostLine, HostStarter } from './host-starter.ts';
import type { LaneName } from './lane.ts';
import { UnfitJob } from './lane.ts';
import type { PoolJob } from './pool-job.ts';
import type { DoneMessage, DyingMessage, FailedMessage, FromHost, HostSettings } from './protocol.ts';
import { packError, unpackError } from './wire-error.ts';

/** One host and the jobs in it, as the pool sees them. Loads a task before its first job there, and passes on what jobs say. */
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

  constructor(options: HostOptions) {
    this.#options = options;
    this.#line = options.start(options.settings, {
      onMessage: (message) => this.#hear(message),
      onEnd: (end) => {
        for (const timer of this.#loadTimers.values()) clearTimeout(timer);
        options.onEnd(this, end);
      },
    });
  }

  get id(): number {
    return this.#line.id;
  }

  has(task: number): boolean {
    return this.#loaded.has(task);
  }

  take(job: PoolJob): void {
    const { number, task } = job;
    this.taken += 1;
    this.jobs.set(number, job);
    if (this.#loaded.has(task.number)) {
      this.#run(job);
      return;
    }
    this.#loadTimers.set(
      number,
      setTimeout(() => this.#loadTooLong(job), LOAD_MAX_MS),
    );
    this.#line.post({
      type: 'load',
      job: number,
      task: task.number,
      name: task.name,
      module: task.module,
    });
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

  #run(job: PoolJob): void {
    job.running = true;
    job.job.begin();
    this.#line.post(job.message());
  }

  #hear(message: FromHost): void {
    if (message.type === 'ready') this.ready = true;
    else if (message.type === 'dying') this.lastWords = message;
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
        note(() => hearAlive(job, message.progress));
        break;
      case 'recall':
        void this.#recall(job);
        break;
      case 'log':
        note(() => job.job.context(undefined).log(message.message, parsed(message.data)));
        break;
      default:
        this.#onEnded(job, message);
    }
  }

  async #recall({ number, job }: PoolJob): Promise<void> {
    const answer = { type: 'recalled', job: number } as const;
    try {
      const value = await job.context(undefined).lastProgress();
      this.#line.post({
        ...answer,
        progress: value === undefined ? null : JSON.stringify(value),
        error: null,
      });
    } catch (error) {
      this.#line.post({ ...answer, progress: null, error: packError(error) });
    }
  }

  #onEnded(job: PoolJob, message: DoneMessage | FailedMessage): void {
    if (message.spent) this.retiring = true;
    this.#leave(job);
    if (message.type === 'done') {
      job.resolve(message.result, message.usage);
      return;
    }
    const error = unpackError(message.error);
    job.reject(message.unfit ? new UnfitJob(error as LongshoreError) : error, message.usage);
  }

  #onLoaded(job: PoolJob): void {
    this.#stopLoadTimer(job);
    this.#loaded.add(job.task.number);
    const { abortReason } = job.job;
    if (abortReason === null) {
      this.#run(job);
      return;
    }
    this.#leave(job);
    job.reject(abortReason);
  }

  #leave(job: PoolJob): void {
    this.#stopLoadTimer(job);
    this.jobs.delete(job.number);
    this.#options.onFree(this);
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
  /** A job has left it. */
  readonly onFree: (host: Host) => void;
  readonly onEnd: (host: Host, end: HostEnd) => void;
}

export interface Killing {
  /** Whose code had to be stopped; null: the pool closes. */
  readonly job: PoolJob | null;
  /** What that job is told. */
  readonly error: unknown;
}

/** What the module itself threw is the cause; a LongshoreError about it says all. */
export function unloadable({ task }: PoolJob, cause: unknown): LongshoreError {
  if (cause instanceof LongshoreError && cause.code === 'TASK_MODULE_UNLOADABLE') return cause;
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new LongshoreError(
    'TASK_MODULE_UNLOADABLE',
    `Task '${task.name}' cannot be loaded from ${task.module}: ${reason}.`,
    { cause, details: { task: task.name, module: task.module } },
  );
}

/** What was good in the host is good here; a store that is away costs notes, never jobs. */
function note(write: () => void): void {
  try {
    write();
  } catch {
    // The limits were checked in the host, and the handler has gone on.
  }
}

function hearAlive({ job }: PoolJob, progress: string | null | undefined): void {
  const context = job.context(undefined);
  if (progress === undefined) context.heartbeat();
  else context.progress(parsed(progress));
}

type JobMessage = Exclude<FromHost, { readonly type: 'ready' | 'dying' }>;

function parsed(text: string | null): unknown {
  return text === null ? undefined : JSON.parse(text);
}
