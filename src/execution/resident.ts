import { AsyncLocalStorage } from 'node:async_hooks';
import { LongshoreError, show } from '../core/errors.ts';
import type { AnyTask } from '../core/task.ts';
import { markAsHost } from './border.ts';
import { exportedTasks } from './exported-tasks.ts';
import { UnfitJob } from './lane.ts';
import { Meter } from './meter.ts';
import type {
  AnswerMessage,
  DyingMessage,
  Ended,
  FromHost,
  HostSettings,
  LoadMessage,
  RunJob,
  RunMessage,
  ToHost,
} from './protocol.ts';
import { ResidentJob } from './resident-job.ts';
import { packDone, unpackRun } from './short-text.ts';
import type { HostSlate } from './slate.ts';
import { slateLine } from './slate-line.ts';
import { runHandler } from './steps.ts';
import { packError, unpackError } from './wire-error.ts';

/**
 * What runs inside a host, thread or process alike: imports the modules of tasks, runs their handlers, and says whose
 * job it was when the host ends under one of them.
 */
export class Resident {
  readonly #border: Border;
  readonly #meter: Meter;
  readonly #tasks = new Map<number, AnyTask>();
  readonly #jobs = new Map<number, ResidentJob>();
  /** Ended jobs of which answers are still on the way. */
  readonly #asking = new Map<number, ResidentJob>();
  #loading = 0;
  /** The number of the job whose code runs, in timers and callbacks that it left behind, too. */
  readonly #whose = new AsyncLocalStorage<number>();

  constructor(border: Border, settings: HostSettings) {
    this.#border = border;
    this.#meter = new Meter(settings.recycleBytes);
    markAsHost();
    if (settings.printTo === 'stderr')
      Object.assign(console, new console.Console(process.stderr, process.stderr));
    this.#watchForEnd();
    this.#say({ type: 'ready' });
  }

  /** Nothing runs in it, nor is loaded. */
  get idle(): boolean {
    return this.#jobs.size === 0 && this.#loading === 0;
  }

  hear(heard: ToHost | string): void {
    const message = typeof heard === 'string' ? unpackRun(heard) : heard;
    switch (message.type) {
      case 'run':
        void this.#runAll(message);
        break;
      case 'load':
        this.#whose.run(message.job, () => void this.#load(message));
        break;
      case 'abort':
        this.#jobs.get(message.job)?.abort(unpackError(message.reason) as LongshoreError);
        break;
      case 'answer':
        this.#onAnswer(message);
        break;
      case 'close':
        this.#border.exit(0);
    }
  }

  async #load({ job, task, name, module }: LoadMessage): Promise<void> {
    this.#loading += 1;
    try {
      if (!this.#tasks.has(task)) this.#tasks.set(task, await loadTask(name, module));
      this.#say({ type: 'loaded', job });
    } catch (error) {
      this.#say({ type: 'unloadable', job, error: packError(error) });
    } finally {
      this.#loading -= 1;
    }
  }

  /** One after the other; in one turn where their handlers end in the turn they start in. */
  async #runAll({ jobs, measure }: RunMessage): Promise<void> {
    const slate = jobs.length > 1 ? (this.#border.slate as HostSlate) : null;
    slate?.open();
    for (const [index, job] of jobs.entries()) {
      if (index > 0 && slate?.begin() === false) {
        this.#say({ type: 'dry' });
        return;
      }
      const last = index === jobs.length - 1;
      const running = this.#whose.run(job[0], () => this.#run(job, last, measure));
      if (running !== null) await running;
    }
  }

  #run(message: RunJob, last: boolean, measure: boolean): Promise<void> | null {
    const task = this.#tasks.get(message[1]) as AnyTask;
    const job = new ResidentJob(task.name, message, (note) => this.#say(note));
    const alone = this.#jobs.size === 0;
    this.#jobs.set(job.number, job);
    const reading = measure && alone ? this.#meter.start() : null;
    const beganAt = performance.now();
    const ended = (): Ended => {
      this.#jobs.delete(job.number);
      if (job.asking) this.#asking.set(job.number, job);
      job.tell();
      job.finished = true;
      const ranMs = performance.now() - beganAt;
      return {
        job: job.number,
        usage: reading?.stop() ?? null,
        ranMs,
        spent: this.#meter.spent(),
        last,
      };
    };
    try {
      const returned = runHandler(task, job);
      if (returned instanceof Promise)
        return returned.then(
          (result) => this.#done(job, result, ended()),
          (thrown) => this.#failed(thrown, ended()),
        );
      this.#done(job, returned, ended());
    } catch (thrown) {
      this.#failed(thrown, ended());
    }
    return null;
  }

  /** With others behind it, its result is written where the pool finds it whenever it looks, and told with the last one. */
  #done({ number, spoke }: ResidentJob, result: string | null, ended: Ended): void {
    const written =
      !ended.last && !spoke && this.#border.slate?.write(slateLine(number, ended.ranMs, result));
    if (!written) this.#border.post(packDone({ type: 'done', result, ...ended }));
  }

  #failed(thrown: unknown, ended: Ended): void {
    const unfit = UnfitJob.is(thrown);
    this.#say({ type: 'failed', unfit, error: packError(unfit ? thrown.cause : thrown), ...ended });
  }

  #onAnswer(message: AnswerMessage): void {
    const job = this.#jobs.get(message.job) ?? this.#asking.get(message.job);
    job?.answered(message);
    if (job?.asking === false) this.#asking.delete(message.job);
  }

  #watchForEnd(): void {
    const exit = process.exit.bind(process);
    process.exit = (code?: number | string | null): never => {
      const exitCode = Number(code ?? process.exitCode ?? 0);
      this.#dying({ how: 'exit', exitCode, error: null });
      return exit(exitCode);
    };
    process.on('uncaughtException', (error, how) => {
      this.#dying({ how, exitCode: 1, error: packError(error) });
      this.#border.exit(1);
    });
  }

  #dying(what: Omit<DyingMessage, 'type' | 'job'>): void {
    for (const job of this.#jobs.values()) job.tell();
    this.#say({ type: 'dying', job: this.#whose.getStore() ?? null, ...what });
  }

  #say(message: FromHost): void {
    try {
      this.#border.post(message);
    } catch (cause) {
      if (!('error' in message) || message.error === null) throw cause;
      // Some things can be cloned but not sent to another process: the error goes without its properties.
      this.#border.post({ ...message, error: { ...message.error, properties: {}, cause: null } });
    }
  }
}

/** The way out of a host. */
export interface Border {
  post(message: FromHost | string): void;
  /** Ends the host once what was posted is on its way. */
  exit(code: number): void;
  /** Null: it is given one job at a time. */
  readonly slate: HostSlate | null;
}

async function loadTask(name: string, module: string): Promise<AnyTask> {
  const exported = exportedTasks((await import(module)) as Record<string, unknown>);
  for (const task of exported) if (task.name === name) return task;
  const names = [...exported].map((task) => show(task.name)).join(', ') || 'none';
  throw new LongshoreError(
    'TASK_MODULE_UNLOADABLE',
    `${module} exports no task named ${show(name)} (tasks it exports: ${names}). Export it, or give defineTask the \`module\` that does (import.meta.url).`,
    { details: { task: name, module } },
  );
}
