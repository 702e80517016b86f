import type { Command } from 'commander';
import { defined } from '../../connectors/environment.ts';
import { runnerOptions } from '../../connectors/http/options.ts';
import { echo } from '../../connectors/operaton/echo-task.ts';
import {
  type OperatonOptions,
  type OperatonWorker,
  operatonWorker,
} from '../../connectors/operaton/index.ts';
import { unknownName } from '../../core/options.ts';
import type { AnyTask } from '../../core/task.ts';
import { prettyLine } from '../../telemetry/pretty-log.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { type Config, loadConfig } from '../config-file.ts';
import { UsageError } from '../exit-codes.ts';
import { startMetrics } from '../metrics.ts';
import type { Output } from '../output.ts';
import { printEvents } from '../print-events.ts';
import { taskPaths } from '../session.ts';
import { counted } from '../text.ts';
import { duration, list, repeated } from '../values.ts';
import {
  endText,
  keepStdout,
  type LaneFlags,
  laneFlags,
  printEnd,
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
 * `longshore operaton work`: the tasks of files as workers of topics, until a signal. The command reads flags and files, and prints;
 * fetching, running and telling are the connector's (src/connectors/operaton).
 */
export const work: CliCommand<Options> = { define, run };

interface Options extends TunerFlags, LaneFlags, ReportFlags {
  readonly url?: string;
  readonly tasks?: readonly string[];
  readonly topic?: readonly string[];
  readonly tenant?: readonly string[];
  readonly name?: string;
  readonly concurrency?: number;
  readonly lock?: number;
  readonly poll?: number;
}

function define(command: Command): void {
  command
    .option('--url <url>', 'REST API of the engine, e.g. http://localhost:8080/engine-rest (or OPERATON_URL)')
    .option(
      '--tasks <path>',
      'file or folder with task files; may be repeated (default: a task echo)',
      repeated,
    )
    .option(
      '--topic <topic=task>',
      "task of a topic; may be repeated (or OPERATON_WORKER_TOPICS; default: each task's name is its topic)",
      list,
    )
    .option('--tenant <id>', 'only tasks of this tenant; may be repeated', list)
    .option('--name <name>', "begins the worker's id at the engine (default: longshore)");
  tunerFlags(command, 'tasks')
    .option('--lock <time>', 'how long a lock holds unextended (default: 30s)', duration('--lock'))
    .option('--poll <time>', 'how long a fetch waits at the engine (default: 5s)', duration('--poll'));
  reportFlags(laneFlags(command, 'tasks'));
  examples(
    command,
    'longshore operaton work --url http://localhost:8080/engine-rest --tasks tasks/',
    'longshore operaton work --tasks tasks/ --topic charge-card=charge --concurrency 50',
    'OPERATON_URL=https://engine/engine-rest OPERATON_TOKEN=… longshore operaton work --tasks tasks/',
  );
}

async function run({ options, out }: Call<Options>): Promise<number> {
  const printing = keepStdout(out);
  const config = await loadConfig(options.config);
  const topics = await topicsOf(options, config);
  const { logger, pretty } = await workerLog(out, options, prettyLine);
  const worker = operatonWorker({
    ...runnerOptions({ ...config.worker, ...config.connect }),
    ...settings(options),
    topics,
    logger,
    ...printing,
  });
  if (out.json) printEvents(worker, (line) => process.stdout.write(`${line}\n`));
  const { runner } = worker;
  const health = async (): Promise<{ ok: boolean }> => worker.health();
  const metrics = await startMetrics(null, { ...options, runners: [runner], health }, out);
  try {
    if (pretty) out.say(greeting(worker, topics, out));
    await workUntilSignal(worker, out, () => farewell(worker));
  } finally {
    await metrics.close();
  }
  if (out.json) printEnd(worker.id, worker.tally);
  if (pretty) out.say(endText('task', worker.tally));
  return 0;
}

/** Throws USAGE, OPTION_INVALID, and what loading the task files throws. */
async function topicsOf(options: Options, config: Config): Promise<Readonly<Record<string, AnyTask>>> {
  const paths = taskPaths(options.tasks, config);
  const tasks = paths === null ? [echo] : await tasksIn(paths);
  const pairs = options.topic ?? list(process.env.OPERATON_WORKER_TOPICS ?? '');
  if (pairs.length === 0) return Object.fromEntries(tasks.map((task) => [task.name, task]));
  const known = paths === null ? tasks : [...tasks, echo];
  return Object.fromEntries(pairs.map((pair) => [pair.split('=')[0] ?? '', taskOf(pair, known)]));
}

function taskOf(pair: string, known: readonly AnyTask[]): AnyTask {
  const [topic = '', name = topic, ...rest] = pair.split('=');
  if (topic === '' || name === '' || rest.length > 0)
    throw new UsageError(`--topic is ${JSON.stringify(pair)}; expected TOPIC=TASK, or the name of both.`);
  const task = known.find((one) => one.name === name);
  if (task !== undefined) return task;
  throw unknownName(
    `--topic ${pair}: no task file exports a task`,
    name,
    known.map((one) => one.name),
  );
}

function settings(options: Options): Partial<OperatonOptions> {
  const { url, name, concurrency, strategy, threads, processes } = options;
  const { tenant: tenantIds, lock: lockMs, poll: pollMs, grace: graceMs } = options;
  const given = { url, name, concurrency, strategy, threads, processes, tenantIds, lockMs, pollMs, graceMs };
  return { ...defined(given), ...tunerOf(options) };
}

function greeting(worker: OperatonWorker, topics: Readonly<Record<string, AnyTask>>, out: Output): string {
  const pairs = Object.entries(topics).map(([topic, { name }]) =>
    topic === name ? topic : `${topic} (${name})`,
  );
  return [
    out.paintMessage('bold', 'longshore'),
    worker.address,
    `topics ${pairs.join(', ')}`,
    counted(worker.runner.limit, 'slot'),
  ].join('  ');
}

function farewell({ runner }: OperatonWorker): string {
  if (runner.running === 0) return 'Stopping.';
  return `Stopping: waits for ${counted(runner.running, 'running task')}. Again to stop at once.`;
}
