import type { LongshoreError } from '../core/errors.ts';
import type { LaneJob, Stopper } from './lane.ts';
import type { NumberedTask } from './numbered-task.ts';
import type { RunJob, Usage } from './protocol.ts';

/** A job in a pool: one that waits for a host, or that is in one. */
export class PoolJob implements Stopper {
  /** The pool's number for it. */
  readonly number: number;
  readonly task: NumberedTask;
  readonly job: LaneJob;
  /** Whose job it is: only jobs of one owner are handed to a host together. */
  readonly owner: object;
  /** Given: the job is measured. Not called for a job that could not be measured. */
  readonly onUsage: ((usage: Usage) => void) | undefined;
  /** Its handler has started, in the host that it is in, as far as is known. */
  running = false;
  /** It was in a host that died, and nobody knows whose fault that was: it runs in a new host, with no other job. */
  alone = false;
  readonly #options: PoolJobOptions;

  constructor(number: number, options: PoolJobOptions) {
    this.number = number;
    this.task = options.task;
    this.job = options.job;
    this.owner = options.owner;
    this.onUsage = options.onUsage;
    this.#options = options;
  }

  begin(): void {
    if (this.running) return;
    this.running = true;
    this.job.begin();
  }

  resolve(result: string | null, ranMs: number, usage: Usage | null): void {
    this.#ran(ranMs, usage);
    this.#options.resolve(result);
  }

  reject(thrown: unknown, ranMs: number | null = null, usage: Usage | null = null): void {
    if (ranMs !== null) this.#ran(ranMs, usage);
    this.#options.reject(thrown);
  }

  abort(reason: LongshoreError): void {
    this.#options.keeper.abort(this, reason);
  }

  kill(): void {
    this.#options.keeper.kill(this);
  }

  message(): RunJob {
    const { id, queue, key, attempt, attemptsMax, input, payloadBytesMax, meta } = this.job;
    return [
      this.number,
      this.task.number,
      id,
      queue,
      key,
      attempt,
      attemptsMax,
      input,
      payloadBytesMax,
      meta,
    ];
  }

  #ran(ranMs: number, usage: Usage | null): void {
    this.job.ranMs = ranMs;
    this.task.observe(ranMs);
    if (usage !== null) this.onUsage?.(usage);
  }
}

export interface PoolJobOptions {
  readonly task: NumberedTask;
  readonly job: LaneJob;
  readonly owner: object;
  readonly onUsage: ((usage: Usage) => void) | undefined;
  readonly resolve: (result: string | null) => void;
  readonly reject: (thrown: unknown) => void;
  /** The pool. */
  readonly keeper: {
    abort(job: PoolJob, reason: LongshoreError): void;
    kill(job: PoolJob): void;
  };
}
