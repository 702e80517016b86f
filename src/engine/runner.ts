import type { AnyTask } from '../core/task.ts';
import type { Tracing } from '../core/tracing.ts';
import type { Choice } from '../execution/routes.ts';
import type { EventListener, EventName } from '../telemetry/events.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Sensor } from '../tuner/sensor.ts';
import type { WorkerSettings } from '../worker/settings.ts';
import type { WorkerGauges } from '../worker/trouble.ts';
import type { Ended, Permit, Work } from './work.ts';

export type { Ended, LogEntry, Permit, Work } from './work.ts';

/** The settings of a worker that concern lanes and slots: same names, defaults and environment variables. */
export type RunnerSettings = Pick<
  WorkerSettings,
  | 'concurrency'
  | 'tuner'
  | 'graceMs'
  | 'abortGraceMs'
  | 'strategy'
  | 'threads'
  | 'processes'
  | 'jobsPerHost'
  | 'recycleJobs'
  | 'recycleBytes'
  | 'heapBytesMax'
  | 'blockedMs'
  | 'printTo'
>;

export interface RunnerOptions extends Partial<RunnerSettings> {
  /** The engine: `temporal`, `operaton`, `camunda`. Begins the runner's id, and names it in metrics. */
  readonly engine: string;
  readonly tasks: readonly AnyTask[];
  /** Largest input, result, progress or log datum as JSON, in bytes; default 1 MiB. */
  readonly payloadBytesMax?: number;
  /** As in ConnectOptions. */
  readonly logger?: boolean | Logger;
  /** `await otelTracing()` of `longshore/otel`; default: nothing is traced. */
  readonly tracing?: Tracing;
  /** For tests; default: control groups or the machine. Runners and workers with the same one share their slots. */
  readonly sensor?: Sensor;
}

/** Runs tasks for an engine that is no store: no lease, no store, no settlement. Made by `createRunner`. */
export interface Runner {
  /** Tells runners and workers apart: `temporal-host-4711-k3f9x2ab`. */
  readonly id: string;
  readonly engine: string;
  /** What its settings came to: given, from the environment, or defaults. */
  readonly settings: RunnerSettings;
  /**
   * Loads what threads and processes are made of, and opens the slots. Done by the first use as well; call it to hear of bad
   * settings before the engine is asked for work. Keeps the process alive until `stop`. Idempotent.
   * Rejects with OPTION_INVALID where another worker of this process has other settings of the tuner.
   */
  start(): Promise<void>;
  /** Runs one attempt. Never rejects. Without a permit it waits for a slot, and for room in its thread pool or process pool. */
  run(work: Work): Promise<Ended>;
  /**
   * Takes a slot, in the order of the calls. Rejects with the signal's reason when that aborts, and with WORKER_STOPPING when the
   * runner stops. Permits that are out when the runner has stopped are given back by it.
   */
  acquire(signal?: AbortSignal): Promise<Permit>;
  /** Takes a slot if there is one that nobody waits for. */
  tryAcquire(): Permit | null;
  /** How many slots there are now. With a tuner it changes, and may be fewer than are used. */
  readonly limit: number;
  /** Works whose handlers run now, or wait in a host behind others. */
  readonly running: number;
  /** Works that wait for a slot or for room in their pool. */
  readonly waiting: number;
  /**
   * How many more works could start now, or, with a task's name, how many of that task: free slots, but no more than its pool has
   * room for. What is to be asked of an engine that gives out work in batches.
   */
  free(task?: string): number;
  /** Calls `listener` when `free` may have grown; may be called for nothing. The returned function ends that. */
  onRoom(listener: () => void): () => void;
  /** Calls `listener` for every event of that name, the names of a worker: `job.started`, `job.completed` … Throws OPTION_INVALID. */
  on<Name extends EventName>(name: Name, listener: EventListener<Name>): () => void;
  /** In which lane each task runs now, why, and what was measured. */
  profiles(): readonly Choice[];
  /** In figures, as a worker has them. Null when it is not started. */
  gauges(): WorkerGauges | null;
  /**
   * Stops for good: works that have not begun end as `released`, those that run get `graceMs` (default: the setting, 10 s), then
   * their signals abort, and after the abort grace they are given up and end as `released`. Idempotent.
   */
  stop(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * Lanes and slots for works of an engine. Its slots are one with those of all workers and runners of the process where they have a
 * tuner. Throws OPTION_INVALID, TASK_INVALID, TASK_DUPLICATE.
 */
export declare function createRunner(options: RunnerOptions): Runner;
