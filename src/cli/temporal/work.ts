import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, Option } from 'commander';
import { fromEnvironment, WORKER_VARIABLES } from '../../connectors/temporal/environment.ts';
import type { TemporalWorker, TemporalWorkerOptions } from '../../connectors/temporal/index.ts';
import { LongshoreError } from '../../core/errors.ts';
import { messageOf } from '../../core/legible.ts';
import { STRATEGIES, type Strategy } from '../../core/strategy.ts';
import type { AnyTask } from '../../core/task.ts';
import { ownFile } from '../../own-file.ts';
import type { Logger } from '../../telemetry/log.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { UsageError } from '../exit-codes.ts';
import type { MetricsOptions } from '../metrics.ts';
import type { Output } from '../output.ts';
import { untilSignal } from '../signals.ts';
import { loadTasks } from '../task-files.ts';
import { duration, integer, repeated, share } from '../values.ts';
import { LOG_LEVELS, type LogOptions, workerLog } from '../worker-log.ts';
import { lineOf, withFixedMessages } from './log.ts';
import { type ConnectionOptions, connectionFlags, connectionOf, environment, withSdk } from './settings.ts';
import { type SlotOptions, slotRange, tunerOf } from './slots.ts';

interface Options extends ConnectionOptions, SlotOptions, LogOptions, MetricsOptions {
  readonly taskQueue?: string;
  readonly tasks?: readonly string[];
  readonly workflows?: string;
  readonly workflowPolls?: number;
  readonly activityPolls?: number;
  readonly strategy?: Strategy;
  readonly threads?: number;
  readonly processes?: number;
  readonly grace?: number;
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
    .addOption(
      new Option('--strategy <name>', 'where tasks run that do not say (default: async)').choices(STRATEGIES),
    )
    .option('--threads <n>', 'most threads for handlers (default: as many as cores)', integer('--threads', 1))
    .option(
      '--processes <n>',
      'most child processes for handlers (default: as many as cores)',
      integer('--processes', 1),
    )
    .option(
      '--grace <time>',
      'how long a stop waits for running activities (default: 10s)',
      duration('--grace'),
    )
    .option('--identity <name>', "this worker's name at the server (default: process and host)")
    .option(
      '--metrics-port <n>',
      "serve /metrics with Longshore's and the SDK's, /ready and /live; 0: a free one",
      integer('--metrics-port', 0, 65_535),
    )
    .option('--metrics-host <name>', '... on this address (default: 127.0.0.1)')
    .addOption(
      new Option('--log-level <level>', 'default: info').choices(LOG_LEVELS).env('LONGSHORE_LOG_LEVEL'),
    )
    .addOption(
      new Option('--log-format <format>', 'default: pretty on a terminal, else json')
        .choices(['pretty', 'json'])
        .env('LONGSHORE_LOG_FORMAT'),
    );
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
  const namespace = options.namespace ?? found.TEMPORAL_WORKER_NAMESPACE ?? env.DEFAULT_TEMPORAL_NAMESPACE;
  const { logger } = await workerLog(out, options, lineOf);
  const ratio = found.TEMPORAL_WORKER_NONSTICKY_TO_STICKY_POLL_RATIO;
  const workflowPolls = options.workflowPolls ?? found.TEMPORAL_WORKER_MAX_CONCURRENT_WORKFLOW_TASK_POLLS;
  const activityPolls = options.activityPolls ?? found.TEMPORAL_WORKER_MAX_CONCURRENT_ACTIVITY_TASK_POLLS;
  const { strategy, threads, processes, grace, identity } = options;
  return runWorker(
    {
      taskQueue,
      ...given({ namespace, identity, strategy, threads, processes, graceMs: grace }),
      ...given({
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

function given<Values extends object>(values: Values): { [Key in keyof Values]?: NonNullable<Values[Key]> } {
  const set = Object.entries(values).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(set) as { [Key in keyof Values]?: NonNullable<Values[Key]> };
}

/** Activities and workflows: those of the files given, or EchoWorkflow with its activity. */
async function codeOf({
  tasks,
  workflows,
}: Options): Promise<Pick<TemporalWorkerOptions, 'activities' | 'workflowsPath'>> {
  const workflowsPath = workflows === undefined ? {} : { workflowsPath: resolve(workflows) };
  if (tasks !== undefined) {
    const found = await loadTasks(tasks);
    const named = found.map(({ task, url }): [string, AnyTask] => [
      task.name,
      task.module === url ? task : Object.freeze({ ...task, module: url }),
    ]);
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
  const { temporalWorker, temporalRuntime } = await withSdk(
    () => import('../../connectors/temporal/index.ts'),
  );
  const worker = temporalWorker({ ...settings, logger: withFixedMessages(logger) });
  const runtime = await temporalRuntime({ logger });
  const metrics = await serve(worker, runtime, { options, out, logger });
  const signalled = untilSignal(out);
  try {
    // A server that cannot be reached is waited for; a fault of the settings ends it.
    await Promise.race([signalled, worker.start()]);
    await Promise.race([signalled, worker.ended()]);
    if (worker.runner.running > 0)
      out.say(`Stopping: waits for ${worker.runner.running} running activities. Again to stop at once.`);
  } finally {
    await worker.stop();
    await metrics.close();
  }
  return 0;
}

async function serve(
  worker: TemporalWorker,
  runtime: { scrape(): Promise<string> },
  { options: { metricsPort: port, metricsHost: host }, out }: Means,
): Promise<{ close(): Promise<void> }> {
  if (port === undefined) return { close: async () => undefined };
  const { temporalMetrics } = await import('../../connectors/temporal/index.ts');
  const { serveMetrics } = await import('../../telemetry/prometheus/index.ts');
  const metrics = await temporalMetrics(worker, runtime);
  const health = async (): Promise<{ ok: boolean }> => ({ ok: worker.connected });
  try {
    const server = await serveMetrics(metrics, { port, health, ...(host === undefined ? {} : { host }) });
    out.say(`metrics: http://${host ?? '127.0.0.1'}:${server.port}/metrics`);
    return server;
  } catch (error) {
    const message = `--metrics-port ${port} cannot be served${host === undefined ? '' : ` on ${host}`}: ${messageOf(error as Error)}`;
    throw new LongshoreError('OPTION_INVALID', message, { cause: error });
  }
}
