import { type Command, Option } from 'commander';
import type { CamundaOptions, CamundaWorker } from '../../connectors/camunda/index.ts';
import { STRATEGIES, type Strategy } from '../../core/strategy.ts';
import type { AnyTask } from '../../core/task.ts';
import { prettyLine } from '../../telemetry/pretty-log.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { requireTaskPaths } from '../commands/tasks.ts';
import { loadConfig } from '../config-file.ts';
import { UsageError } from '../exit-codes.ts';
import { startMetrics } from '../metrics.ts';
import type { Output } from '../output.ts';
import { taskPaths } from '../session.ts';
import { untilSignal } from '../signals.ts';
import { loadTasks } from '../task-files.ts';
import { counted } from '../text.ts';
import { duration, integer, repeated, share } from '../values.ts';
import { LOG_LEVELS, type LogFormat, type LogLevel, workerLog } from '../worker-log.ts';

/**
 * `longshore camunda work`: the tasks of files as workers of job types, until a signal. The command reads flags and files, and prints;
 * asking, running and telling are the connector's (src/connectors/camunda).
 */
export const work: CliCommand<Options> = { define, run };

interface Options {
  readonly tasks?: readonly string[];
  readonly url?: string;
  readonly jobType?: readonly string[];
  readonly name?: string;
  readonly concurrency?: number;
  readonly targetCpu?: number;
  readonly targetMemory?: number;
  readonly slotsMin?: number;
  readonly slotsMax?: number;
  readonly lock?: number;
  readonly poll?: number;
  readonly grace?: number;
  readonly strategy?: Strategy;
  readonly threads?: number;
  readonly processes?: number;
  readonly leases?: true;
  readonly logLevel?: LogLevel;
  readonly logFormat?: LogFormat;
  readonly metricsPort?: number;
  readonly metricsHost?: string;
}

function define(command: Command): void {
  command
    .option(
      '--tasks <path>',
      'file or folder with task files; may be repeated (or LONGSHORE_TASKS)',
      repeated,
    )
    .option('--url <address>', 'of the REST API (or CAMUNDA_REST_ADDRESS; default: http://localhost:8080)')
    .option(
      '--job-type <type=task>',
      'run this job type by that task; may be repeated (default: each task runs the job type of its name)',
      repeated,
    )
    .option('--name <name>', 'what the cluster shows as the worker (or CAMUNDA_WORKER_NAME)')
    .option('-c, --concurrency <n>', 'jobs at the same time (default: 10)', integer('--concurrency', 1))
    .option(
      '--target-cpu <share>',
      'as many jobs as keep the processor this busy, e.g. 0.9',
      share('--target-cpu'),
    )
    .option(
      '--target-memory <share>',
      '... and memory no fuller than this, e.g. 0.8',
      share('--target-memory'),
    )
    .option('--slots-min <n>', '... but never fewer jobs (default: 50)', integer('--slots-min', 1))
    .option('--slots-max <n>', '... and never more (default: 500)', integer('--slots-max', 1))
    .option('--lock <time>', 'how long a job is locked without extension (default: 30s)', duration('--lock'))
    .option('--poll <time>', 'how long a poll waits for jobs (default: 5s)', duration('--poll'))
    .option('--grace <time>', 'how long a stop waits for running jobs (default: 10s)', duration('--grace'))
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
      '--metrics-port <n>',
      'serve /metrics for Prometheus, /ready and /live; 0: a free one',
      integer('--metrics-port', 0, 65_535),
    )
    .option('--metrics-host <name>', '... on this address (default: 127.0.0.1)')
    .option('--leases', 'fence commands by lease tokens; needs Camunda 8.10')
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
    'longshore camunda work --tasks tasks/ --url http://localhost:8080',
    'longshore camunda work --tasks tasks/ --job-type charge-card=charge --strategy thread',
  );
}

async function run({ options, out }: Call<Options>): Promise<number> {
  if (out.json) Object.assign(console, new console.Console(process.stderr, process.stderr));
  const config = await loadConfig(options.config);
  const found = await loadTasks(requireTaskPaths(taskPaths(options.tasks, config)));
  const tasks = found.map(({ task, url }) =>
    task.module === url ? task : Object.freeze({ ...task, module: url }),
  );
  const { camundaWorker } = await import('../../connectors/camunda/index.ts');
  const { logger } = await workerLog(out, options, prettyLine);
  const worker = camundaWorker({
    ...settings(options),
    jobTypes: jobTypesOf(tasks, options.jobType ?? []),
    logger,
    ...(out.json ? { printTo: 'stderr' } : {}),
  });
  const signal = untilSignal(out);
  const watched = { runners: [worker.runner], health: async () => worker.health() };
  const metrics = await startMetrics(null, { ...options, ...watched }, out);
  try {
    await worker.start();
    await signal;
    out.say(farewell(worker));
    await worker.stop();
    report(worker, out);
  } finally {
    await worker.stop({ graceMs: 0 });
    await metrics.close();
  }
  return 0;
}

/** Throws USAGE for a task that there is not. */
function jobTypesOf(tasks: readonly AnyTask[], pairs: readonly string[]): Record<string, AnyTask> {
  if (pairs.length === 0) return Object.fromEntries(tasks.map((task) => [task.name, task]));
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.lastIndexOf('=');
      const [type, name] = at < 0 ? [pair, pair] : [pair.slice(0, at), pair.slice(at + 1)];
      const task = tasks.find((one) => one.name === name);
      if (task !== undefined) return [type, task];
      throw new UsageError(
        `--job-type ${pair}: there is no task '${name}' in the task files; they have ${tasks.map((one) => one.name).join(', ')}.`,
      );
    }),
  );
}

/** Flags only: the environment is the connector's to merge. */
function settings(options: Options): Partial<CamundaOptions> {
  const { url, name, concurrency, strategy, threads, processes, leases } = options;
  const { lock: lockMs, poll: pollMs, grace: graceMs } = options;
  const { targetCpu, targetMemory, slotsMin, slotsMax } = options;
  const tuner = defined({ targetCpu, targetMemory, slotsMin, slotsMax });
  return {
    ...defined({ url, name, concurrency, strategy, threads, processes, leases, lockMs, pollMs, graceMs }),
    ...(Object.keys(tuner).length === 0 ? {} : { tuner }),
  };
}

function defined(options: Readonly<Record<string, unknown>>): Record<string, never> {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Record<string, never>;
}

function farewell({ runner }: CamundaWorker): string {
  if (runner.running === 0) return 'Stopping, when the open polls are answered. Again to stop at once.';
  return `Stopping: waits for ${counted(runner.running, 'running job')} and for the open polls. Again to stop at once: its jobs are then locked until their locks end.`;
}

function report({ name, counts }: CamundaWorker, out: Output): void {
  if (out.json) {
    out.document({ event: 'camunda.ended', worker: name, counts });
    return;
  }
  const told = Object.entries(counts).filter(([, count]) => count > 0);
  out.say(
    told.length === 0
      ? 'Ended; no job was run.'
      : `Ended: ${told.map(([what, count]) => `${count} ${WORDS[what] ?? what}`).join(', ')}.`,
  );
}

const WORDS: Readonly<Record<string, string>> = {
  errors: 'BPMN errors',
  handedBack: 'handed back',
  locksLost: 'locks lost',
  pollsLost: 'polls without an answer',
  untold: 'outcomes untold',
};
