import type { QueueRecord, WorkerRecord } from '../store/store.ts';
import type { FinishedFacts, Percentiles, QueueFacts, StoreFacts, TaskFacts } from './facts.ts';

/** The calls of a connection that advice needs. */
export interface Told {
  workers(): Promise<readonly WorkerRecord[]>;
  readonly queues: { list(): Promise<readonly QueueRecord[]> };
  readonly jobs: {
    list(options: {
      readonly state: 'completed';
      readonly task?: string;
      readonly queue?: string;
      readonly limit: number;
    }): Promise<{ readonly jobs: readonly FinishedJob[] }>;
  };
}

/** As `jobs.list` has it. Times in ms since the epoch. */
export interface FinishedJob {
  readonly task: string;
  readonly queue: string;
  readonly dueAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
}

/** Jobs looked at for each task and queue: enough for a p99. */
const LOOKED_AT = 500;
/** All queues of a store. */
const ALL = '*';

/** Reads what there is. `now`: ms since the epoch. `task`: only this one, and its queues. */
export async function collect(from: Told, task: string | null, now: number): Promise<StoreFacts> {
  const [workers, records] = await Promise.all([from.workers(), from.queues.list()]);
  const alive = workers.filter((worker) => worker.alive);
  const queues = records.filter(({ name }) => name !== ALL);
  const ofQueues = await inTurn(queues, async ({ name }) => {
    const { jobs } = await from.jobs.list({ state: 'completed', queue: name, limit: LOOKED_AT });
    return jobs;
  });
  const seen = new Set([...alive.flatMap(({ tasks }) => tasks), ...ofQueues.flat().map((job) => job.task)]);
  const names = [...seen].filter((name) => task === null || name === task).sort();
  const tasks = await inTurn(names, async (name) => {
    const { jobs } = await from.jobs.list({ state: 'completed', task: name, limit: LOOKED_AT });
    return taskFacts(name, jobs, alive, queues);
  });
  const facts = queues.map((queue, at) => queueFacts(queue, ofQueues[at] ?? [], now));
  const own = new Set(task === null ? [] : queuesOf(task, alive, ofQueues.flat()));
  return { tasks, queues: facts.filter(({ name }) => task === null || own.has(name)) };
}

function taskFacts(
  task: string,
  jobs: readonly FinishedJob[],
  alive: readonly WorkerRecord[],
  queues: readonly QueueRecord[],
): TaskFacts {
  const workers = alive.filter(({ tasks }) => tasks.includes(task));
  const own = new Set(queuesOf(task, [], jobs));
  const sum = (figure: (worker: WorkerRecord) => number): number =>
    workers.reduce((total, worker) => total + figure(worker), 0);
  return {
    task,
    profiles: workers.flatMap(({ profiles }) => profiles.filter((profile) => profile.task === task)),
    workers: workers.length,
    slots: sum(({ slots }) => slots),
    slotsUsed: sum(({ slotsUsed }) => slotsUsed),
    finished: finishedFacts(jobs),
    ready: queues.filter(({ name }) => own.has(name)).reduce((total, { counts }) => total + counts.ready, 0),
  };
}

/** Where its jobs were, and what its workers look after. */
function queuesOf(task: string, alive: readonly WorkerRecord[], jobs: readonly FinishedJob[]): string[] {
  const seen = jobs.filter((job) => job.task === task).map(({ queue }) => queue);
  return [...seen, ...alive.filter(({ tasks }) => tasks.includes(task)).flatMap(({ queues }) => queues)];
}

function queueFacts(queue: QueueRecord, jobs: readonly FinishedJob[], now: number): QueueFacts {
  const { name, counts, retention } = queue;
  return { name, counts, retention, perSecond: rateUntil(now, jobs) };
}

/** Pure. */
export function finishedFacts(jobs: readonly FinishedJob[]): FinishedFacts {
  const run: number[] = [];
  const wait: number[] = [];
  for (const { dueAt, startedAt, finishedAt } of jobs) {
    if (startedAt === null || finishedAt === null) continue;
    run.push(Math.max(0, finishedAt - startedAt));
    wait.push(Math.max(0, startedAt - dueAt));
  }
  return { jobs: run.length, runMs: percentiles(run), waitMs: percentiles(wait), perSecond: rateOf(jobs) };
}

function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

/** Less says nothing of how jobs come. */
const SPAN_MIN_MS = 1_000;
const RATE_OF_MIN = 20;

function rateOf(jobs: readonly FinishedJob[]): number | null {
  const ends = jobs.flatMap(({ finishedAt }) => (finishedAt === null ? [] : [finishedAt]));
  if (ends.length < RATE_OF_MIN) return null;
  const spanMs = Math.max(...ends) - Math.min(...ends);
  return spanMs < SPAN_MIN_MS ? null : (1_000 * (ends.length - 1)) / spanMs;
}

/** Quiet times count, so what comes in bursts is not taken for what comes all day. */
const UNTIL_MIN_MS = 600_000;

/** Pure. */
export function rateUntil(now: number, jobs: readonly FinishedJob[]): number | null {
  const ends = jobs.flatMap(({ finishedAt }) => (finishedAt === null ? [] : [finishedAt]));
  const spanMs = now - Math.min(...ends);
  return ends.length < RATE_OF_MIN || spanMs < UNTIL_MIN_MS ? null : (1_000 * ends.length) / spanMs;
}

/** One after the other: advice must not load the store that it is about. */
async function inTurn<Item, Result>(
  items: readonly Item[],
  act: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await act(item));
  return results;
}
