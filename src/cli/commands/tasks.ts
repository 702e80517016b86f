import type { Command } from 'commander';
import { formatDuration } from '../../core/duration.ts';
import type { Backoff } from '../../core/retry.ts';
import type { TaskProfile, WorkerRecord } from '../../store/store.ts';
import { type Call, type CliCommand, examples, type GlobalOptions } from '../command.ts';
import { loadConfig } from '../config-file.ts';
import { UsageError } from '../exit-codes.ts';
import { givenStore, isMissing, taskPaths, withStore } from '../session.ts';
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
  examples(command, 'longshore tasks --tasks tasks/', 'longshore tasks --store sqlite:jobs.db');
}

/** What the task files define and, of a store, where the workers that are alive run their tasks. */
async function run({ options, out }: Call<Options>): Promise<number> {
  const config = await loadConfig(options.config);
  const store = givenStore(options, config);
  const paths = taskPaths(options.tasks, config);
  const notes: string[] = [];
  const found =
    paths === null && store !== null
      ? []
      : await loadTasks(requireTaskPaths(paths), (note) => notes.push(note));
  const lanes = store === null || (found.length > 0 && isMissing(store)) ? [] : await lanesIn(options);
  if (out.json) {
    out.document({ tasks: found.map(describe), lanes });
    return 0;
  }
  if (found.length > 0) out.table(COLUMNS, found);
  for (const note of notes) out.say(note);
  if (found.length > 0 && lanes.length > 0) out.print('');
  if (lanes.length > 0) out.table(LANE_COLUMNS, lanes);
  else if (found.length === 0) out.say('No task files are given, and no worker is alive.');
  return 0;
}

/** Where a worker runs a task. */
interface LaneRow extends TaskProfile {
  readonly worker: string;
}

function lanesIn(options: GlobalOptions): Promise<LaneRow[]> {
  return withStore(options, async ({ longshore }) => {
    const alive = (await longshore.workers()).filter((worker) => worker.alive);
    return alive.flatMap(lanesOf).sort((a, b) => (a.task < b.task ? -1 : a.task === b.task ? 0 : 1));
  });
}

function lanesOf({ id, profiles }: WorkerRecord): LaneRow[] {
  return profiles.map((profile) => ({ worker: id, ...profile }));
}

const LANE_COLUMNS: readonly Column<LaneRow>[] = [
  { title: 'TASK', value: ({ task }) => task },
  { title: 'LANE', value: ({ lane }) => lane },
  { title: 'WHY', value: ({ reason }) => reason, flexible: true },
  { title: 'MEASURED', value: ({ samples }) => String(samples || '-'), align: 'right', optional: 3 },
  { title: 'BUSY', value: (row) => measured(row, row.busyMs), align: 'right', optional: 2 },
  { title: 'TOOK', value: (row) => measured(row, row.wallMs), align: 'right', optional: 2 },
  { title: 'WORKER', value: ({ worker }) => worker, optional: 1 },
];

/** Averages of jobs that were measured. */
function measured({ samples }: TaskProfile, ms: number): string {
  return samples === 0 ? '-' : `${ms} ms`;
}

/** Throws USAGE when nothing says where the tasks are. */
export function requireTaskPaths(paths: readonly string[] | null): readonly string[] {
  if (paths !== null) return paths;
  throw new UsageError(
    'No tasks are given. Use --tasks FOLDER, set LONGSHORE_TASKS=FOLDER, or set "tasks" in longshore.config.json.',
  );
}

function describe({ task, file }: FoundTask): Record<string, unknown> {
  const { name, queue, priority, attempts, timeoutMs, heartbeatTimeoutMs, unique, strategy, hint } = task;
  const times = { timeoutMs, heartbeatTimeoutMs };
  const backoff = typeof task.backoff === 'function' ? 'function' : task.backoff;
  const schema = schemaOf(task.schema);
  return { name, file, queue, priority, attempts, backoff, ...times, unique, schema, strategy, hint };
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
