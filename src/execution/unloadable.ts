import { LongshoreError } from '../core/errors.ts';
import { namedReasonOf } from '../core/legible.ts';
import type { NumberedTask } from './numbered-task.ts';

/** What the module itself threw is the cause; a LongshoreError about it says all. */
export function unloadable(
  { task }: { readonly task: Pick<NumberedTask, 'name' | 'module'> },
  cause: unknown,
): LongshoreError {
  if (cause instanceof LongshoreError && cause.code === 'TASK_MODULE_UNLOADABLE') return cause;
  const reason = namedReasonOf(cause);
  return new LongshoreError(
    'TASK_MODULE_UNLOADABLE',
    `Task '${task.name}' cannot be loaded from ${task.module}: ${reason}.`,
    { cause, details: { task: task.name, module: task.module } },
  );
}
