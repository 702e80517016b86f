import { z } from 'zod';
import { type JobContext, type JobView, type Longshore, SnoozeError } from '../../src/index.ts';
import { fileInput, fileResult, fileTask, type Run } from './tasks.ts';

/** Jobs cannot depend on each other yet, so the last one looks whether it is its turn, and is not charged for looking. */
const LOOK_AGAIN_MS = 200;
const PAGE = 1_000;
const LISTED = 5;
const FAILURES_LISTED = 20;

export interface Quantiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export interface FileFacts {
  readonly path: string;
  readonly bytes: number;
  readonly gzipBytes: number;
  readonly runMs: number;
}

export interface Failure {
  readonly id: string;
  readonly state: 'failed' | 'cancelled';
  readonly what: string;
  readonly attempts: number;
  readonly reason: string;
  readonly deliberate: boolean;
}

export interface Report {
  readonly files: number;
  readonly bytes: number;
  readonly gzipBytes: number;
  /** Files that were planned and whose jobs are not in the store any more. */
  readonly missing: number;
  /** Symbolic links, sockets and devices: not read. */
  readonly others: number;
  readonly closed: readonly { readonly path: string; readonly reason: string }[];
  /** Ready to claimed, ms. */
  readonly waitMs: Quantiles;
  /** In the handler, ms; completed files only. */
  readonly runMs: Quantiles;
  readonly largest: readonly FileFacts[];
  readonly slowest: readonly FileFacts[];
  /** Completed, but not at the first attempt. */
  readonly retried: readonly { readonly id: string; readonly what: string; readonly attempts: number }[];
  readonly failures: readonly Failure[];
  /** All, listed or not, the deliberate one included. */
  readonly failed: number;
}

const planResult = z.object({
  files: z.number(),
  others: z.number(),
  closed: z.array(z.object({ path: z.string(), reason: z.string() })),
});

/** Reads what the other jobs left in the store. Throws SnoozeError until all of them have ended. */
export async function report(longshore: Longshore, context: JobContext<Run>): Promise<Report> {
  const { queue, input, signal } = context;
  const planJob = await requireTurn(longshore, queue);
  const planned = planJob.state === 'completed' ? planResult.parse(planJob.result) : null;
  const tally = new Tally(input);
  let cursor: string | undefined;
  do {
    signal.throwIfAborted();
    const page = await longshore.jobs.list({
      queue,
      state: ['completed', 'failed', 'cancelled'],
      limit: PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const job of page.jobs) tally.add(job);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  const failures: Failure[] = [];
  for (const job of tally.unsuccessful.slice(0, FAILURES_LISTED)) {
    failures.push(await failure(longshore, job, input));
  }
  return {
    ...tally.totals(),
    // The deliberate failure is a file job as well, which nobody planned.
    missing: planned === null ? 0 : Math.max(0, planned.files + 1 - tally.fileJobs),
    others: planned?.others ?? 0,
    closed: planned?.closed ?? [],
    failures,
    failed: tally.unsuccessful.length,
  };
}

/** The plan's job, once it and all it enqueued have ended; this job is then the only one that is alive. */
async function requireTurn(longshore: Longshore, queue: string): Promise<JobView> {
  const { jobs } = await longshore.jobs.list({
    queue,
    task: 'folder-report.plan',
    state: ['completed', 'failed', 'cancelled'],
  });
  const [plan] = jobs;
  const counts = (await longshore.queues.list()).find(({ name }) => name === queue)?.counts;
  if (plan === undefined || counts === undefined) throw new SnoozeError(LOOK_AGAIN_MS);
  const live = counts.scheduled + counts.ready + counts.running;
  if (live > 1) throw new SnoozeError(LOOK_AGAIN_MS);
  return plan;
}

/** What is counted and kept while the jobs go by; only a few of them stay in memory. */
class Tally {
  readonly #run: Run;
  readonly #waits: number[] = [];
  readonly #runs: number[] = [];
  readonly #largest: FileFacts[] = [];
  readonly #slowest: FileFacts[] = [];
  readonly #retried: { id: string; what: string; attempts: number }[] = [];
  readonly unsuccessful: JobView[] = [];
  fileJobs = 0;
  #bytes = 0;
  #gzipBytes = 0;

  constructor(run: Run) {
    this.#run = run;
  }

  add(job: JobView): void {
    if (job.startedAt !== null) this.#waits.push(Math.max(0, job.startedAt - job.dueAt));
    if (job.task === fileTask.name) this.fileJobs += 1;
    if (job.state !== 'completed') {
      this.unsuccessful.push(job);
      return;
    }
    if (job.attempt > 1 && this.#retried.length < FAILURES_LISTED)
      this.#retried.push({ id: job.id, what: nameOf(job, this.#run), attempts: job.attempt });
    if (job.task === fileTask.name) this.#addFile(job);
  }

  totals() {
    return {
      files: this.#runs.length,
      bytes: this.#bytes,
      gzipBytes: this.#gzipBytes,
      waitMs: quantiles(this.#waits),
      runMs: quantiles(this.#runs),
      largest: this.#largest,
      slowest: this.#slowest,
      retried: this.#retried,
    };
  }

  #addFile(job: JobView): void {
    const { bytes, gzipBytes, runMs } = fileResult.parse(job.result);
    this.#bytes += bytes;
    this.#gzipBytes += gzipBytes;
    this.#runs.push(runMs);
    const file = { path: nameOf(job, this.#run), bytes, gzipBytes, runMs };
    keepTop(this.#largest, file, (one) => one.bytes);
    keepTop(this.#slowest, file, (one) => one.runMs);
  }
}

function keepTop(top: FileFacts[], file: FileFacts, by: (file: FileFacts) => number): void {
  const last = top.at(LISTED - 1);
  if (last !== undefined && by(file) <= by(last)) return;
  top.push(file);
  top.sort((one, other) => by(other) - by(one));
  top.length = Math.min(top.length, LISTED);
}

/** Exact: the nearest rank, over all values. */
function quantiles(values: readonly number[]): Quantiles {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

async function failure(longshore: Longshore, job: JobView, run: Run): Promise<Failure> {
  const last = (await longshore.jobs.get(job.id))?.errors.at(-1);
  return {
    id: job.id,
    state: job.state === 'cancelled' ? 'cancelled' : 'failed',
    what: nameOf(job, run),
    attempts: job.attempt,
    reason: job.state === 'cancelled' ? 'cancelled by an operator' : (last?.message ?? 'no error was kept'),
    deliberate: isDeliberate(job, run),
  };
}

export function isDeliberate(job: Pick<JobView, 'task' | 'input'>, run: Run): boolean {
  return job.task === fileTask.name && fileInput.safeParse(job.input).data?.path === run.trap;
}

/** A file's path below the folder; of other jobs, the task. */
function nameOf(job: JobView, { folder }: Run): string {
  const path = job.task === fileTask.name ? fileInput.safeParse(job.input).data?.path : undefined;
  if (path === undefined) return job.task;
  return path.startsWith(folder) ? path.slice(folder.length).replace(/^[/\\]/, '') : path;
}
