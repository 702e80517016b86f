import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type JobHandle, type JobState, type Longshore, LongshoreError } from '../../src/index.ts';
import { type Options, storeUrlToType } from './arguments.ts';
import { Progress } from './progress.ts';
import type { Report } from './report.ts';
import { Interruption, interruptible } from './signals.ts';
import { allTasks, planTask, type Run, reportTask, runInput } from './tasks.ts';

export interface Summary {
  /** Everything ended, and nothing failed but what was meant to. */
  readonly ok: boolean;
  readonly folder: string;
  readonly startedAt: string;
  readonly queue: string;
  readonly store: string;
  /** True when an earlier start had begun this run. */
  readonly continued: boolean;
  readonly jobs: Readonly<Record<JobState, number>>;
  /** What this process did; the rest of the figures is about the whole run. */
  readonly here: { readonly jobs: number; readonly seconds: number; readonly jobsPerSecond: number };
  readonly report: Report;
}

export type End =
  | { readonly type: 'finished'; readonly summary: Summary }
  | { readonly type: 'stopped'; readonly signal: 'SIGINT' | 'SIGTERM' };

/** How long a killed process' jobs wait for the next start to take them. */
const LEASE_MS = 3_000;

/** This program invites being killed; a job that was running when it happened must not be blamed for it soon. */
const CRASHES_MAX = 10;

/** Begins a run on the folder, or continues the one that was not finished, and works until it has ended. */
export async function runFolderReport(options: Options): Promise<End> {
  const longshore = await connect(options.storeUrl);
  try {
    const found = await findRun(longshore, options);
    const handle = await begin(longshore, found);
    await announce(longshore, found, options);
    const here = await work(longshore, { ...found, handle, options });
    await rm(found.run.trap, { recursive: true, force: true });
    const report = (await handle.result()) as Report;
    return {
      type: 'finished',
      summary: await summarize(longshore, { ...found, store: storeUrlToType(options), here, report }),
    };
  } catch (error) {
    if (!(error instanceof Interruption)) throw error;
    say('Stopped. Start it again on the same folder to go on.');
    return { type: 'stopped', signal: error.signal };
  } finally {
    await longshore.close();
  }
}

interface Found {
  readonly run: Run;
  readonly queue: string;
  readonly continued: boolean;
}

/** The folder's run whose report has not been made yet; where there is none, a new one. */
async function findRun(longshore: Longshore, { folder, storeFile }: Options): Promise<Found> {
  const { jobs } = await longshore.jobs.list({
    task: 'folder-report.report',
    state: ['scheduled', 'ready', 'running'],
    limit: 1_000,
  });
  for (const { input, queue } of jobs) {
    const run = runInput.safeParse(input).data;
    if (run?.folder === folder) return { run, queue, continued: true };
  }
  const startedAt = Date.now();
  const digest = createHash('sha256').update(folder).digest('hex').slice(0, 6);
  const queue = `report-${digest}-${new Date(startedAt).toISOString().replace(/\D/g, '')}`;
  const trap = join(tmpdir(), `longshore-${queue}-is-a-folder.txt`);
  return { run: { folder, startedAt, trap, storeFile }, queue, continued: false };
}

/**
 * The first two jobs of a run. Both have a unique key, so a process that died between them, or two processes at once,
 * leave one of each.
 */
async function begin(longshore: Longshore, { run, queue }: Found): Promise<JobHandle<Report>> {
  const handle = await longshore.enqueue(reportTask(longshore), run, { queue });
  await longshore.enqueue(planTask(longshore), run, { queue });
  return handle;
}

async function announce(
  longshore: Longshore,
  { run, queue, continued }: Found,
  options: Options,
): Promise<void> {
  const time = new Date(run.startedAt).toLocaleString();
  if (!continued) {
    say(`New run on ${run.folder} (no unfinished one in the store).`);
  } else {
    const counts = await countsOf(longshore, queue);
    const ended = counts.completed + counts.failed + counts.cancelled;
    say(`Continuing the run of ${time} on ${run.folder}: ${ended} jobs have ended and are not repeated.`);
    if (counts.running > 0)
      say(
        `${counts.running} jobs are held by a process that is gone or still at work; those of one that is gone run again within ${LEASE_MS / 1_000} s.`,
      );
  }
  say(`Store: ${options.storeUrl}, queue: ${queue}`);
}

/** Resolves, once the report is made, to what was done here. Throws Interruption, or why there is no report. */
async function work(
  longshore: Longshore,
  job: { readonly handle: JobHandle<Report>; readonly queue: string; readonly options: Options },
): Promise<Summary['here']> {
  const { handle, queue, options } = job;
  const worker = longshore.worker({
    tasks: allTasks(longshore),
    queues: [queue],
    leaseMs: LEASE_MS,
    crashesMax: CRASHES_MAX,
    ...(options.concurrency === null ? {} : { concurrency: options.concurrency }),
  });
  const progress = new Progress(longshore, queue);
  const interruption = interruptible(() =>
    say('Stopping: running jobs may end, the others wait for the next start.'),
  );
  longshore.on('store.failed', ({ verb, error }) =>
    say(`The store failed at ${verb}: ${error instanceof Error ? error.message : String(error)}`),
  );
  const startedAt = performance.now();
  try {
    await worker.start();
    progress.start();
    await handle.result({ signal: interruption.signal });
  } catch (error) {
    // A signal that came first is the reason, whatever failed because of it.
    throw interruption.signal.aborted ? interruption.signal.reason : error;
  } finally {
    await progress.stop();
    await worker.stop();
    interruption.forget();
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const jobs = worker.tally.completed + worker.tally.failed + worker.tally.cancelled;
  return { jobs, seconds, jobsPerSecond: jobs / seconds };
}

async function summarize(
  longshore: Longshore,
  facts: Found & Pick<Summary, 'store' | 'here' | 'report'>,
): Promise<Summary> {
  const { run, queue, continued, store, here, report } = facts;
  const jobs = await countsOf(longshore, queue);
  const ok =
    report.missing === 0 && report.failed === 1 && report.failures.every(({ deliberate }) => deliberate);
  const startedAt = new Date(run.startedAt).toISOString();
  return { ok, folder: run.folder, startedAt, queue, store, continued, jobs, here, report };
}

async function countsOf(longshore: Longshore, queue: string): Promise<Readonly<Record<JobState, number>>> {
  const record = (await longshore.queues.list()).find(({ name }) => name === queue);
  if (record === undefined) throw new LongshoreError('STORE_CORRUPT', `The store lost the queue ${queue}.`);
  return record.counts;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
