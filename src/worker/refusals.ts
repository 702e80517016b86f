import { LongshoreError } from '../core/errors.ts';

/** Why a worker does not start now, or not here. */

export function alreadyStarted(): LongshoreError {
  return new LongshoreError(
    'OPTION_INVALID',
    'runOnce, processNext and runUntilIdle are for a worker that is not started and not already running; stop it first.',
  );
}

export function runsOnce(): LongshoreError {
  return new LongshoreError(
    'OPTION_INVALID',
    'This worker is inside runOnce, processNext or runUntilIdle; wait for it first.',
  );
}

/** The module of a task is more than its definition: it is a program, which must not run once more in each thread. */
export function startedInHost(): LongshoreError {
  return new LongshoreError(
    'TASK_MODULE_UNLOADABLE',
    'A module that starts a worker when it is imported cannot be imported by a thread or process for its tasks; move the tasks to a file of their own.',
  );
}
