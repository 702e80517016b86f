import { z } from 'zod';
import { type AnyTask, defineTask, type Longshore } from '../../src/index.ts';
import { hashAndCompress } from './compress.ts';
import { plan } from './plan.ts';
import { report } from './report.ts';

/**
 * The tasks of a run. All jobs of one run stand in one queue of their own, which is what tells runs apart.
 *
 * A job that is enqueued again while the run goes on must be found, not doubled, even when it has ended: hence a
 * unique key (by default a digest of the input) that is held for a month.
 */
const ONCE = { scope: 'queue', periodMs: 30 * 86_400_000 } as const;

/** Short, since nobody waits for another service here. */
const backoff = { type: 'exponential', delayMs: 200, maxMs: 5_000 } as const;

export const runInput = z.object({
  folder: z.string(),
  /** Milliseconds since the epoch. */
  startedAt: z.number(),
  /** A path that cannot be read, however privileged the user: the deliberate failure. */
  trap: z.string(),
  /** Where the jobs themselves are kept: not to be reported on. */
  storeFile: z.string().nullable(),
});

export type Run = z.output<typeof runInput>;

export const fileInput = z.object({ path: z.string() });

export const fileResult = z.object({
  sha256: z.string(),
  bytes: z.number(),
  gzipBytes: z.number(),
  /** Time in the handler. */
  runMs: z.number(),
});

/** Hashes and compresses one file. */
export const fileTask = defineTask({
  name: 'folder-report.file',
  input: fileInput,
  unique: ONCE,
  backoff,
  async run({ input, signal, progress }): Promise<z.output<typeof fileResult>> {
    const startedAt = performance.now();
    const onShare = (share: number): void => progress(Math.floor(share * 100));
    const compressed = await hashAndCompress(input.path, { signal, onShare });
    return { ...compressed, runMs: performance.now() - startedAt };
  },
});

/** Fails twice, then succeeds: the attempt's number is kept with the job, so that this holds across restarts as well. */
export const flakyTask = defineTask({
  name: 'folder-report.flaky',
  input: z.object({ failures: z.number() }),
  unique: ONCE,
  backoff,
  run({ input, attempt, log }) {
    log(`attempt ${attempt}`, { failures: input.failures });
    if (attempt <= input.failures) throw new Error(`deliberate failure ${attempt} of ${input.failures}`);
    return { attempt };
  },
});

/** Finds the files and enqueues a job for each. Killed half way it runs again, and finds what it had enqueued. */
export function planTask(longshore: Longshore) {
  return defineTask({
    name: 'folder-report.plan',
    input: runInput,
    unique: { ...ONCE, key: 'plan' },
    priority: 'high',
    backoff,
    run: (context) => plan(longshore, context),
  });
}

/** Aggregates the results once all other jobs of the run have ended. */
export function reportTask(longshore: Longshore) {
  return defineTask({
    name: 'folder-report.report',
    input: runInput,
    unique: { ...ONCE, key: 'report' },
    priority: 'low',
    backoff,
    run: (context) => report(longshore, context),
  });
}

export function allTasks(longshore: Longshore): AnyTask[] {
  return [planTask(longshore), fileTask, flakyTask, reportTask(longshore)];
}
