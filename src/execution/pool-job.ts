import type { LongshoreError } from '../core/errors.ts';
import type { AnyTask } from '../core/task.ts';
import type { LaneJob, Stopper } from './lane.ts';
import type { RunMessage, Usage } from './protocol.ts';

/** A job in a pool: one that waits for a host, or that is in one. */
export class PoolJob implements Stopper {
  /** The pool's number for it. */
  readonly number: number;
  readonly task: NumberedTask;
  readonly job: LaneJob;
  /** Its handler has started, in the host that it is in. */
  running = false;
  /** It was in a host that died, and nobody knows whose fault that was: it runs in a new host, with no other job. */
  alone = false;
  readonly #options: PoolJobOptions;

  constructor(number: number, options: PoolJobOptions) {
    this.number = number;
    this.task = options.task;
    this.job = options.job;
    this.#options = options;
  }

  resolve(result: string | null, usage: Usage | null): void {
    if (usage !== null) this.#options.onUsage?.(usage);
    this.#options.resolve(result);
  }

  reject(thrown: unknown, usage: Usage | null = null): void {
    if (usage !== null) this.#options.onUsage?.(usage);
    this.#options.reject(thrown);
  }

  abort(reason: LongshoreError): void {
    this.#options.onAbort(this, reason);
  }

  kill(): void {
    this.#options.onKill(this);
  }

  message(): RunMessage {
    const { id, queue, key, attempt, attemptsMax, input, payloadBytesMax } = this.job;
    const { number: task, name } = this.task;
    const measure = this.#options.onUsage !== undefined;
    return {
      type: 'run',
      job: this.number,
      task,
      name,
      id,
      queue,
      key,
      attempt,
      attemptsMax,
      input,
      payloadBytesMax,
      measure,
    };
  }
}

export interface PoolJobOptions {
  readonly task: NumberedTask;
  readonly job: LaneJob;
  readonly resolve: (result: string | null) => void;
  readonly reject: (thrown: unknown) => void;
  /** Given: the job is measured. Not called for a job that could not be measured. */
  readonly onUsage?: ((usage: Usage) => void) | undefined;
  readonly onAbort: (job: PoolJob, reason: LongshoreError) => void;
  readonly onKill: (job: PoolJob) => void;
}

/** A task as hosts know it. */
export interface NumberedTask {
  readonly number: number;
  readonly name: string;
  /** What import() takes. */
  readonly module: string;
}

export function numberedTask(number: number, task: AnyTask, module: string): NumberedTask {
  return { number, name: task.name, module };
}
