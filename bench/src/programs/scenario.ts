import {
  type AnyTask,
  connect,
  defineTask,
  type JobHandle,
  type Longshore,
  type Strategy,
  type Worker,
} from '../longshore.ts';
import { type LoopDelay, watchLoop } from '../loop-delay.ts';
import { monotonicMs } from '../pacer.ts';
import { program } from '../program.ts';
import type { LaneChoice, WorkloadName } from '../scenarios/scenario.ts';
import { round } from '../spread.ts';
import { CATALOGUE } from '../workloads/catalogue.ts';
import type { WorkInput } from '../workloads/job-run.ts';
import { ownPeakBytes } from '../workloads/own-use.ts';

/** One repeat of a scenario: fills a queue, then runs a worker until all is settled, and tells what it saw; it judges nothing. */
export interface ScenarioSettings {
  readonly url: string;
  readonly strategy: Strategy;
  readonly workload: WorkloadName;
  /** Work of each job, by its number. */
  readonly amounts: readonly number[];
  readonly concurrency: number;
  readonly jobTimeoutMs: number;
  /** For the log of runs and the jobs' files. */
  readonly folder: string;
}

export interface WorkReport {
  /** Of the machine's monotonic clock, ms. */
  readonly startedAt: number;
  readonly finishedAt: number;
  /** As the store has them afterwards, by number. */
  readonly jobs: readonly JobEnd[];
  /** Outcomes that did not count any more. */
  readonly lost: number;
  readonly eventLoopDelayMs: LoopDelay;
  /** Of this process. */
  readonly cpuMicros: number;
  readonly bytesBefore: number;
  readonly peakBytes: number;
  readonly choices: readonly LaneChoice[];
}

export interface JobEnd {
  /** `missing`: the store does not know it. */
  readonly state: string;
  readonly result: unknown;
  /** Of the last failed attempt. */
  readonly error: string | null;
}

program<ScenarioSettings, WorkReport>(async (settings) => {
  const { strategy, concurrency, workload, jobTimeoutMs } = settings;
  const longshore = await connect(settings.url);
  try {
    const { name, run, module } = CATALOGUE[workload].task;
    // One attempt: a job that fails is a fault of the measurement. Lost leases are not charged, and show in the log of runs.
    const task = defineTask({ name, run, module: module as string, timeoutMs: jobTimeoutMs, attempts: 1 });
    const handles = await fill(longshore, task, settings);
    const worker = longshore.worker({ tasks: [task], strategy, concurrency });
    const work = await burn(longshore, worker, handles.length);
    const jobs: JobEnd[] = [];
    for (const { id } of handles) jobs.push(await endOf(longshore, id));
    return { ...work, jobs };
  } finally {
    await longshore.close();
  }
});

async function fill(
  longshore: Longshore,
  task: AnyTask,
  { amounts, folder }: ScenarioSettings,
): Promise<JobHandle[]> {
  const workerPid = process.pid;
  const inputs = amounts.map((amount, n) => ({ n, amount, folder, workerPid }) satisfies WorkInput);
  const handles: JobHandle[] = [];
  for (let start = 0; start < inputs.length; start += BATCH)
    handles.push(...(await longshore.enqueueMany(task, inputs.slice(start, start + BATCH))));
  return handles;
}

const BATCH = 500;

async function burn(longshore: Longshore, worker: Worker, jobs: number): Promise<Omit<WorkReport, 'jobs'>> {
  const choices: LaneChoice[] = [];
  longshore.on('task.strategyChosen', ({ lane, reason }) => {
    choices.push({ atSeconds: round((monotonicMs() - startedAt) / 1_000), lane, reason });
  });
  const finished = allSettled(longshore, worker, jobs);
  const endLoop = await watchLoop();
  const bytesBefore = process.memoryUsage.rss();
  const cpu = process.cpuUsage();
  const startedAt = monotonicMs();
  await worker.start();
  const finishedAt = await finished;
  const { user, system } = process.cpuUsage(cpu);
  const eventLoopDelayMs = endLoop();
  await worker.stop();
  return {
    startedAt,
    finishedAt,
    lost: worker.tally.lost,
    eventLoopDelayMs,
    cpuMicros: user + system,
    bytesBefore,
    peakBytes: ownPeakBytes(),
    choices,
  };
}

/** Resolves to the time at which each job had its outcome in the store. Whoever measures bounds the time. */
function allSettled(longshore: Longshore, worker: Worker, jobs: number): Promise<number> {
  return new Promise((resolve) => {
    const stop = longshore.on('worker.settled', () => {
      const at = monotonicMs();
      // The tally follows the event.
      queueMicrotask(() => {
        const { completed, failed, cancelled } = worker.tally;
        if (completed + failed + cancelled < jobs) return;
        stop();
        resolve(at);
      });
    });
  });
}

async function endOf(longshore: Longshore, id: string): Promise<JobEnd> {
  const job = await longshore.jobs.get(id);
  if (job === null) return { state: 'missing', result: null, error: null };
  const last = job.errors.at(-1);
  return {
    state: job.state,
    result: job.result,
    error: last === undefined ? null : `${last.name}: ${last.message}`,
  };
}
