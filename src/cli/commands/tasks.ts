import type { Command } from 'commander';
import { formatDuration } from '../../core/duration.ts';
import type { Backoff } from '../../core/retry.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { loadConfig } from '../config-file.ts';
import { UsageError } from '../exit-codes.ts';
import { taskPaths } from '../session.ts';
import type { Column } from '../table.ts';
import { type FoundTask, loadTasks } from '../task-files.ts';
import { repeated } from '../values.ts';

interface Options {
  readonly tasks?: readonly string[];
}

export const tasks: CliCommand<Options> = { define, run };

function define(command: Command): void {
  command.option(
    '--tasks <path>',
    'file or folder with task files; may be repeated (or LONGSHORE_TASKS)',
    repeated,
  );
  examples(command, 'longshore tasks --tasks tasks/');
}

async function run({ options, out }: Call<Options>): Promise<number> {
  const config = await loadConfig(options.config);
  const found = await loadTasks(requireTaskPaths(taskPaths(options.tasks, config)));
  if (out.json) out.document({ tasks: found.map(describe) });
  else out.table(COLUMNS, found);
  return 0;
}

/** Throws USAGE when nothing says where the tasks are. */
export function requireTaskPaths(paths: readonly string[] | null): readonly string[] {
  if (paths !== null) return paths;
  throw new UsageError(
    'No tasks are given. Use --tasks FOLDER, set LONGSHORE_TASKS=FOLDER, or set "tasks" in longshore.config.json.',
  );
}

function describe({ task, file }: FoundTask): Record<string, unknown> {
  const { name, queue, priority, attempts, timeoutMs, unique, strategy, hint } = task;
  const backoff = typeof task.backoff === 'function' ? 'function' : task.backoff;
  const schema = schemaOf(task.schema);
  return { name, file, queue, priority, attempts, backoff, timeoutMs, unique, schema, strategy, hint };
}

/** The library the schema comes from. */
function schemaOf(schema: FoundTask['task']['schema']): string | null {
  return schema === null ? null : schema['~standard'].vendor;
}

const COLUMNS: readonly Column<FoundTask>[] = [
  { title: 'TASK', value: ({ task }) => task.name },
  { title: 'QUEUE', value: ({ task }) => task.queue },
  { title: 'PRIO', value: ({ task }) => String(task.priority), align: 'right', optional: 1 },
  { title: 'ATTEMPTS', value: ({ task }) => String(task.attempts), align: 'right' },
  { title: 'BACKOFF', value: ({ task }) => backoffText(task.backoff), optional: 3 },
  {
    title: 'TIMEOUT',
    value: ({ task }) => (task.timeoutMs === null ? '-' : formatDuration(task.timeoutMs)),
    align: 'right',
  },
  { title: 'INPUT', value: ({ task }) => schemaOf(task.schema) ?? 'unchecked', optional: 2 },
  { title: 'STRATEGY', value: ({ task }) => strategyText(task), optional: 2 },
  { title: 'FILE', value: ({ file }) => file, flexible: true },
];

/** Of tasks that say nothing, the worker decides. */
function strategyText({ strategy, hint }: FoundTask['task']): string {
  if (strategy === null) return '-';
  return hint === null ? strategy : `${strategy}, ${hint}`;
}

function backoffText(backoff: Backoff): string {
  if (typeof backoff === 'function') return 'function';
  if (typeof backoff === 'number') return `fixed, ${formatDuration(backoff)}`;
  return `${backoff.type} from ${formatDuration(backoff.delayMs)}`;
}
