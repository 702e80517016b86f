import type { Command } from 'commander';
import type { CamundaOptions, CamundaWorker } from '../../connectors/camunda/index.ts';
import { defined } from '../../connectors/environment.ts';
import type { AnyTask } from '../../core/task.ts';
import { prettyLine } from '../../telemetry/pretty-log.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { requireTaskPaths } from '../commands/tasks.ts';
import { loadConfig } from '../config-file.ts';
import { UsageError } from '../exit-codes.ts';
import { startMetrics } from '../metrics.ts';
import { taskPaths } from '../session.ts';
import { counted } from '../text.ts';
import { duration, repeated } from '../values.ts';
import {
  endText,
  keepStdout,
  type LaneFlags,
  laneFlags,
  type ReportFlags,
  reportFlags,
  type TunerFlags,
  tasksIn,
  tunerFlags,
  tunerOf,
  workUntilSignal,
} from '../work-command.ts';
import { workerLog } from '../worker-log.ts';

/**
 * `longshore camunda work`: the tasks of files as workers of job types, until a signal. The command reads flags and files, and prints;
 * asking, running and telling are the connector's (src/connectors/camunda).
 */
export const work: CliCommand<Options> = { define, run };

interface Options extends TunerFlags, LaneFlags, ReportFlags {
  readonly tasks?: readonly string[];
  readonly url?: string;
  readonly jobType?: readonly string[];
  readonly name?: string;
  readonly concurrency?: number;
  readonly lock?: number;
  readonly poll?: number;
  readonly leases?: true;
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
    .option('--name <name>', 'what the cluster shows as the worker (or CAMUNDA_WORKER_NAME)');
  tunerFlags(command, 'jobs')
    .option('--lock <time>', 'how long a job is locked without extension (default: 30s)', duration('--lock'))
    .option('--poll <time>', 'how long a poll waits for jobs (default: 5s)', duration('--poll'))
    .option('--leases', 'fence commands by lease tokens; needs Camunda 8.10');
  reportFlags(laneFlags(command, 'jobs'));
  examples(
    command,
    'longshore camunda work --tasks tasks/ --url http://localhost:8080',
    'longshore camunda work --tasks tasks/ --job-type charge-card=charge --strategy thread',
  );
}

async function run({ options, out }: Call<Options>): Promise<number> {
  const printing = keepStdout(out);
  const config = await loadConfig(options.config);
  const tasks = await tasksIn(requireTaskPaths(taskPaths(options.tasks, config)));
  const { camundaWorker } = await import('../../connectors/camunda/index.ts');
  const { logger } = await workerLog(out, options, prettyLine);
  const worker = camundaWorker({
    ...settings(options),
    jobTypes: jobTypesOf(tasks, options.jobType ?? []),
    logger,
    ...printing,
  });
  const watched = { runners: [worker.runner], health: async () => worker.health() };
  const metrics = await startMetrics(null, { ...options, ...watched }, out);
  try {
    await workUntilSignal(worker, out, () => farewell(worker));
  } finally {
    await metrics.close();
  }
  const { name, counts } = worker;
  if (out.json) out.document({ event: 'camunda.ended', worker: name, counts });
  else out.say(endText('job', inWords(counts)));
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
  const given = { url, name, concurrency, strategy, threads, processes, leases, lockMs, pollMs, graceMs };
  return { ...defined(given), ...tunerOf(options) };
}

function farewell({ runner }: CamundaWorker): string {
  if (runner.running === 0) return 'Stopping, when the open polls are answered. Again to stop at once.';
  return `Stopping: waits for ${counted(runner.running, 'running job')} and for the open polls. Again to stop at once: its jobs are then locked until their locks end.`;
}

function inWords(counts: CamundaWorker['counts']): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([what, count]) => [WORDS[what] ?? what, count]));
}

const WORDS: Readonly<Record<string, string>> = {
  errors: 'BPMN errors',
  handedBack: 'handed back',
  locksLost: 'locks lost',
  pollsLost: 'polls without an answer',
  untold: 'outcomes untold',
};
