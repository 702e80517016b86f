import type { JobState } from '../../core/job-state.ts';
import type { EventSource } from '../log.ts';

/** As much of a connection (`Longshore`) as metrics are made of. */
export interface MetricsSource extends EventSource {
  readonly queues: { list(): Promise<readonly QueueFacts[]> };
  workers(): Promise<readonly FleetFacts[]>;
  localWorkers(): readonly LocalWorker[];
}

export interface QueueFacts {
  readonly name: string;
  readonly pausedAt: number | null;
  readonly counts: Readonly<Record<JobState, number>>;
  readonly oldestReadyMs?: number | null;
}

export interface FleetFacts {
  readonly alive: boolean;
  readonly slots: number;
  readonly slotsUsed: number;
}

/** A worker of this process that is started, as it is now. */
export interface LocalWorker {
  readonly id: string;
  /** It does the maintenance of the store, for all workers. */
  readonly leading: boolean;
  /** Handlers that run. */
  readonly running: number;
  readonly slots: { readonly total: number; readonly used: number };
  readonly lanes: readonly { readonly task: string; readonly lane: string }[];
  /** What it cannot do now, of claim, beat and settle. */
  readonly troubles: readonly string[];
}

/** What runs the work of another engine in this process: a worker of `longshore/temporal`, `longshore/operaton` or `longshore/camunda`. */
export interface RunnerSource extends EventSource {
  readonly engine: string;
  /** Work that waits for a slot, or for room among threads and processes. */
  readonly waiting: number;
  /** Null: it is not started. */
  gauges(): LocalWorker | null;
}
