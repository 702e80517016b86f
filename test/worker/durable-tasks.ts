import { type AnyTask, defineTask, type JobContext, type Longshore } from '../../src/index.ts';

/** What the tests of durable steps share. */
export const MINUTE = 60_000;

export type Run = (context: JobContext<unknown>) => unknown;

export function taskOf(name: string, run: Run, attempts = 5): AnyTask {
  return defineTask({
    name,
    attempts,
    backoff: 0,
    run: run as (context: JobContext<unknown>) => Promise<unknown>,
  });
}

/** Runs the task's jobs until none is ready. */
export function settle(longshore: Longshore, task: AnyTask) {
  return longshore.worker({ tasks: [task] }).runUntilIdle();
}
