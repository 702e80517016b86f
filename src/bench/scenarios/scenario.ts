import type { Strategy } from '../../index.ts';
import type { Spread } from '../spread.ts';

/** What a job of a scenario does; each is a fixed amount of work, so that a slower system takes longer instead of doing less. */
export const WORKLOADS = ['cpu', 'io', 'subprocess', 'subprocess_threaded'] as const;
export type WorkloadName = (typeof WORKLOADS)[number];

/** One measurement of jobs that do work: a row of a suite, or one of the measurements of a mode. Plain data, as in a scenario file. */
export interface Scenario {
  readonly suite: string;
  readonly phase: string;
  /** Unique within its suite. */
  readonly name: string;
  readonly strategy: Strategy;
  readonly workload: WorkloadName;
  readonly jobs: number;
  /** Jobs that run at once. */
  readonly concurrency: number;
  /** Work of one job: as much as takes so long when nothing else runs, s. */
  readonly workSeconds: number;
  /** By how much the work of a job may differ, as a share of it, 0 to 1; which job has how much is always the same. */
  readonly jitter: number;
  readonly repeats: number;
  /** For each repeat, s. */
  readonly timeoutSeconds: number;
  readonly jobTimeoutMs: number;
}

/** One repeat, measured in a process of its own. */
export interface ScenarioRun {
  /** From the worker's start to the last outcome in the store, s. */
  readonly totalSeconds: number;
  readonly jobsPerSecond: number;
  /** Completed in the store, each with the right result of its work. */
  readonly completed: number;
  /** Starts of handlers beyond one a job. */
  readonly redeliveries: number;
  /** Leases that the worker held and lost, and outcomes that came too late to count. */
  readonly leaseLosses: number;
  /** From the worker's start or the job's release, whatever was later, to the handler's start. */
  readonly waitMs: Percentiles;
  /** In the handler. */
  readonly runMs: Percentiles;
  /** Of the worker's event loop: how much later than asked its timers fired. */
  readonly eventLoopDelayMs: Percentiles;
  /** Processor time of the worker's process, its threads and its children. */
  readonly cpuSeconds: number;
  readonly memoryMb: RunMemory;
  /** Jobs by the lane that they ran in. */
  readonly lanes: Readonly<Record<string, number>>;
}

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  readonly samples: number;
  /** Those of the above with fewer than ten samples beyond them. */
  readonly weak: readonly string[];
}

export interface RunMemory {
  /** Resident, before the first job. */
  readonly before: number;
  /** Most that the worker's process had at a time, as the system counts it. */
  readonly peak: number;
  /** Most that its children had together at a time. */
  readonly childrenPeak: number;
}

export type ScenarioResult = Scenario & {
  /** `failed`: a job is missing, ran with a wrong result or was delivered again, or the time was up. */
  readonly status: 'completed' | 'failed';
  /** What was wrong; null where nothing was. */
  readonly error: string | null;
  /** Everything, also what is not measured, s. */
  readonly elapsedSeconds: number;
  readonly expected: number;
  /** In the worst run. */
  readonly completed: number;
  readonly totalSeconds: Statistics | null;
  readonly jobsPerSecond: Statistics | null;
  readonly runs: readonly ScenarioRun[];
};

/** Over the repeats. */
export interface Statistics extends Spread {
  readonly average: number;
  /** Standard deviation of the sample, n - 1; null with fewer than two. */
  readonly deviation: number | null;
}
