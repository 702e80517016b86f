import type { LaneName, Strategy } from '../longshore.ts';
import type { Spread } from '../spread.ts';

/**
 * A scenario, and what is measured of it (run-scenario.ts): jobs that do work, run by one worker, on a fresh store and in
 * a process of its own for each repeat. What a job of a scenario does is a fixed amount of work (workloads/catalogue.ts),
 * so that a slower system takes longer instead of doing less.
 */
export const WORKLOADS = ['cpu', 'io', 'subprocess', 'subprocess_threaded'] as const;
export type WorkloadName = (typeof WORKLOADS)[number];

/** Steps of a computation; blocks written and synced. */
export type WorkUnit = 'iterations' | 'writes';

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
  /** From the worker's start, before which all jobs are enqueued, to the handler's first start. */
  readonly waitMs: Percentiles;
  /** In the handler. */
  readonly runMs: Percentiles;
  /** Of the worker's event loop: how much later than asked its timers fired. */
  readonly eventLoopDelayMs: Percentiles;
  /** Processor time of the worker's process, its threads and, from their start on, its children. */
  readonly cpuSeconds: number;
  readonly memoryMb: RunMemory;
  /** Jobs by the lane that they ran in. */
  readonly lanes: Readonly<Record<string, number>>;
  /** Of all jobs together. */
  readonly work: { readonly unit: WorkUnit; readonly amount: number };
  /** When handlers ended, from the worker's start, in order, s. */
  readonly endedSeconds: readonly number[];
  /** Where the strategy `auto` put the jobs, and why, from the worker's start, s. */
  readonly choices: readonly LaneChoice[];
}

export interface LaneChoice {
  readonly atSeconds: number;
  readonly lane: LaneName;
  readonly reason: string;
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
  /** Resident, before the worker's start. */
  readonly before: number;
  /** Most that the worker's process had at a time, as the system counts it. */
  readonly peak: number;
  /** Most that its children may have had together at a time: the sum of the peaks of those that lived at the same time. */
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
