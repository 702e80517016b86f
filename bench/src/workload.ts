import { type Input, makeInputs } from './inputs.ts';
import type { Ledger } from './ledger.ts';
import { defineTask, type Longshore, type Worker } from './longshore.ts';

/** A task without a schema, a timeout or a result, whose handler returns at once. */
export function noopTask(ledger: Ledger) {
  return defineTask({ name: 'noop', run: ({ input }) => ledger.mark((input as Input).n) });
}

/**
 * Sends and runs other jobs in a queue of their own, which is deleted then: all threads run compiled code afterwards, as
 * they do in a worker that is not new.
 */
export async function warmUp(longshore: Longshore, queue: string, settings: WarmUp): Promise<void> {
  const { warmup, payload, batch, concurrency } = settings;
  if (warmup === 0) return;
  const task = defineTask({ name: 'warm-up', queue, run: () => undefined });
  const inputs = makeInputs(warmup, payload);
  for (let start = 0; start < warmup; start += batch)
    await longshore.enqueueMany(task, inputs.slice(start, start + batch));
  await longshore.worker({ tasks: [task], concurrency }).runUntilIdle();
  await longshore.queues.obliterate(queue);
}

export interface WarmUp {
  /** How many. */
  readonly warmup: number;
  readonly payload: number;
  readonly batch: number;
  readonly concurrency: number;
}

/**
 * Resolves to `performance.now()` at which the worker had completed `jobs` jobs, in the store; or, when nothing was
 * settled for 15 s, at the last settlement: then jobs are missing, and the ledger will tell.
 */
export function finishLine(longshore: Longshore, worker: Worker, jobs: number): Promise<number> {
  return new Promise((resolve) => {
    let lastAt = performance.now();
    const finish = (): void => {
      clearInterval(watchdog);
      stop();
      resolve(lastAt);
    };
    const watchdog = setInterval(() => {
      if (performance.now() - lastAt > STALL_MS) finish();
    }, 500);
    const stop = longshore.on('worker.settled', () => {
      lastAt = performance.now();
      // The tally follows the event; jobs that were given back unstarted do not count in it as completed.
      queueMicrotask(() => {
        if (worker.tally.completed >= jobs) finish();
      });
    });
  });
}

/** No job waits longer than this for its outcome to be written, unless it is lost. */
const STALL_MS = 15_000;

/** Jobs by state, of all queues. */
export async function countJobs(longshore: Longshore): Promise<Record<string, number>> {
  const total: Record<string, number> = {};
  for (const { counts } of await longshore.queues.list())
    for (const [state, count] of Object.entries(counts)) total[state] = (total[state] ?? 0) + count;
  return total;
}
