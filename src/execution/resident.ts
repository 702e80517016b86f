import { AsyncLocalStorage } from 'node:async_hooks';
import { LongshoreError, show } from '../core/errors.ts';
import type { AnyTask } from '../core/task.ts';
import { markAsHost } from './border.ts';
import { exportedTasks } from './exported-tasks.ts';
import { UnfitJob } from './lane.ts';
import { Meter } from './meter.ts';
import type { DyingMessage, FromHost, HostSettings, LoadMessage, RunMessage, ToHost } from './protocol.ts';
import { ResidentJob } from './resident-job.ts';
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

  hear(message: ToHost): void {
    switch (message.type) {
      case 'run':
        this.#whose.run(message.job, () => void this.#run(message));
        break;
      case 'load':
        this.#whose.run(message.job, () => void this.#load(message));
        break;
      case 'abort':
        this.#jobs.get(message.job)?.abort(unpackError(message.reason) as LongshoreError);
        break;
      case 'recalled':
        this.#jobs.get(message.job)?.recalled(message);
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

  async #run(message: RunMessage): Promise<void> {
    const job = new ResidentJob(message, (note) => this.#say(note));
    const { job: number, task } = message;
    const alone = this.#jobs.size === 0;
    this.#jobs.set(number, job);
    const reading = message.measure && alone ? this.#meter.start() : null;
    const ended = () => {
      this.#jobs.delete(number);
      job.tell();
      return { job: number, usage: reading?.stop() ?? null, spent: this.#meter.spent() };
    };
    try {
      const returned = runHandler(this.#tasks.get(task) as AnyTask, job);
      const result = returned instanceof Promise ? await returned : returned;
      this.#say({ type: 'done', result, ...ended() });
    } catch (thrown) {
      const unfit = thrown instanceof UnfitJob;
      const error = packError(unfit ? thrown.cause : thrown);
      this.#say({ type: 'failed', unfit, error, ...ended() });
    } finally {
      job.finished = true;
    }
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
  post(message: FromHost): void;
  /** Ends the host once what was posted is on its way. */
  exit(code: number): void;
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
