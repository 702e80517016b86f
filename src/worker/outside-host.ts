import { LongshoreError } from '../core/errors.ts';
import { insideHost } from '../execution/border.ts';

/** The module of a task is more than its definition: it is a program, which must not run once more in each thread. */
export function requireOutsideHost(): void {
  if (!insideHost()) return;
  throw new LongshoreError(
    'TASK_MODULE_UNLOADABLE',
    'A module that starts a worker when it is imported cannot be imported by a thread or process for its tasks; move the tasks to a file of their own.',
  );
}
