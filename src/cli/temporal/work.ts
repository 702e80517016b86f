import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, Option } from 'commander';
import { defined, fromEnvironment } from '../../connectors/environment.ts';
import { WORKER_VARIABLES } from '../../connectors/temporal/environment.ts';
import type { TemporalWorkerOptions } from '../../connectors/temporal/index.ts';
import { ownFile } from '../../own-file.ts';
import type { Logger } from '../../telemetry/log.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { UsageError } from '../exit-codes.ts';
import { startMetrics } from '../metrics.ts';
import type { Output } from '../output.ts';
import { integer, repeated, share } from '../values.ts';
import {
  type LaneFlags,
  laneFlags,
  type ReportFlags,
  reportFlags,
  tasksIn,
  workUntilSignal,
} from '../work-command.ts';
import { workerLog } from '../worker-log.ts';
import { lineOf, withFixedMessages } from './log.ts';
import { type ConnectionOptions, connectionFlags, connectionOf, environment, withSdk } from './settings.ts';
import { type SlotOptions, slotRange, tunerOf } from './slots.ts';

interface Options extends ConnectionOptions, SlotOptions, LaneFlags, ReportFlags {
  readonly taskQueue?: string;
  readonly tasks?: readonly string[];
  readonly workflows?: string;
  readonly workflowPolls?: number;
  readonly activityPolls?: number;
  readonly identity?: string;
}

export const work: CliCommand<Options> = { define, run };

function define(command: Command): void {
  command
    .option('--task-queue <name>', 'poll this task queue (or TEMPORAL_WORKER_TASK_QUEUE)')
    .option(
      '--namespace <name>',
      'or TEMPORAL_WORKER_NAMESPACE, DEFAULT_TEMPORAL_NAMESPACE (default: default)',
    );
  connectionFlags(command);
  command
    .option(
      '--tasks <path>',
      'file or folder whose tasks are the activities; may be repeated (default: echo)',
      repeated,
    )
    .option(
      '--workflows <file>',
      'module that exports the workflows (default: EchoWorkflow, unless --tasks is given)',
    )
    .addOption(
      new Option('--tuner <kind>', 'who decides how many slots there are')
        .choices(['longshore', 'fixed', 'temporal'])
        .default('longshore'),
    )
    .option('--target-cpu <share>', 'or TEMPORAL_WORKER_TARGET_CPU (default: 0.9)', share('--target-cpu'))
    .option(
      '--target-memory <share>',
      'or TEMPORAL_WORKER_TARGET_RAM (default: 0.8)',
      share('--target-memory'),
    )
    .option('--workflow-slots <range>', 'n or min..max (default: 10..500)', slotRange('--workflow-slots'))
    .option('--activity-slots <range>', 'n or min..max (default: 50..500)', slotRange('--activity-slots'))
    .option(
      '--local-activity-slots <range>',
      'n or min..max (default: 50..500)',
      slotRange('--local-activity-slots'),
    )
    .option(
      '--workflow-polls <n>',
      'polls that wait at a time (default: 100)',
      integer('--workflow-polls', 1, 10_000),
    )
    .option(
      '--activity-polls <n>',
      'polls that wait at a time (default: 100)',
      integer('--activity-polls', 1, 10_000),
    )
    .option('--identity <name>', "this worker's name at the server (default: process and host)");
  reportFlags(laneFlags(command, 'activities'), "/metrics with Longshore's and the SDK's");
  examples(
    command,
    'longshore temporal work --task-queue benchmark',
    'longshore temporal work --task-queue orders --tasks tasks/ --workflows workflows.ts',
    'longshore temporal work --task-queue orders --tasks tasks/ --target-cpu 0.6 --activity-slots 10..200',
  );
}

async function run({ options, out }: Call<Options>): Promise<number> {
  const env = environment(options.dotenv, out);
  const found = fromEnvironment(WORKER_VARIABLES, env);
  const taskQueue = options.taskQueue ?? found.TEMPORAL_WORKER_TASK_QUEUE;
  if (taskQueue === undefined)
    throw new UsageError(
      'No task queue is given. Use --task-queue benchmark, or set TEMPORAL_WORKER_TASK_QUEUE.',
    );
  const namespace =
    options.namespace ?? found.TEMPORAL_WORKER_NAMESPACE ?? (env.DEFAULT_TEMPORAL_NAMESPACE || undefined);
  const { logger } = await workerLog(out, options, lineOf);
  const ratio = found.TEMPORAL_WORKER_NONSTICKY_TO_STICKY_POLL_RATIO;
  const workflowPolls = options.workflowPolls ?? found.TEMPORAL_WORKER_MAX_CONCURRENT_WORKFLOW_TASK_POLLS;
  const activityPolls = options.activityPolls ?? found.TEMPORAL_WORKER_MAX_CONCURRENT_ACTIVITY_TASK_POLLS;
  const { strategy, threads, processes, grace, identity } = options;
  return runWorker(
    {
      taskQueue,
      ...defined({ namespace, identity, strategy, threads, processes, graceMs: grace }),
      ...defined({
        maxConcurrentWorkflowTaskPolls: workflowPolls,
        maxConcurrentActivityTaskPolls: activityPolls,
        nonStickyToStickyPollRatio: ratio,
      }),
      connection: connectionOf(options, env),
      tuner: tunerOf(options, env),
      ...(await codeOf(options)),
    },
    { options, out, logger },
  );
}

/** Activities and workflows: those of the files given, or EchoWorkflow with its activity. */
async function codeOf({
  tasks,
  workflows,
}: Options): Promise<Pick<TemporalWorkerOptions, 'activities' | 'workflowsPath'>> {
  const workflowsPath = workflows === undefined ? {} : { workflowsPath: resolve(workflows) };
  if (tasks !== undefined) {
    const named = (await tasksIn(tasks)).map((task) => [task.name, task]);
    return { activities: Object.fromEntries(named), ...workflowsPath };
  }
  const { echo } = await import('../../connectors/temporal/echo-task.ts');
  const echoed = fileURLToPath(ownFile('../../connectors/temporal/echo-workflow', import.meta.url));
  return { activities: { echo }, workflowsPath: echoed, ...workflowsPath };
}

interface Means {
  readonly options: Options;
  readonly out: Output;
  readonly logger: Logger;
}

async function runWorker(settings: TemporalWorkerOptions, { options, out, logger }: Means): Promise<number> {
  const { temporalMetrics, temporalWorker, temporalRuntime } = await withSdk(
    () => import('../../connectors/temporal/index.ts'),
  );
  const worker = temporalWorker({ ...settings, logger: withFixedMessages(logger) });
  const runtime = await temporalRuntime({ logger });
  const health = async (): Promise<{ ok: boolean }> => ({ ok: worker.connected });
  const of = () => temporalMetrics(worker, runtime);
  const metrics = await startMetrics(null, { ...options, of, health }, out);
  try {
    // A server that cannot be reached is waited for; a fault of the settings ends it.
    await workUntilSignal(worker, out, () => farewell(worker.runner));
  } finally {
    await metrics.close();
  }
  return 0;
}

function farewell({ running }: { readonly running: number }): string | null {
  return running === 0 ? null : `Stopping: waits for ${running} running activities. Again to stop at once.`;
}
