import { type Command, Option } from 'commander';
import { echo } from '../connectors/operaton/echo-task.ts';
import { type OperatonOptions, type OperatonWorker, operatonWorker } from '../connectors/operaton/index.ts';
import { runnerOptions } from '../connectors/operaton/options.ts';
import { unknownName } from '../core/options.ts';
import { STRATEGIES, type Strategy } from '../core/strategy.ts';
import type { AnyTask } from '../core/task.ts';
import { prettyLine } from '../telemetry/pretty-log.ts';
import { type Call, type CliCommand, examples } from './command.ts';
import { type Config, loadConfig } from './config-file.ts';
import { UsageError } from './exit-codes.ts';
import { type MetricsOptions, startMetrics } from './metrics.ts';
import type { Output } from './output.ts';
import { printEvents } from './print-events.ts';
import { taskPaths } from './session.ts';
import { untilSignal } from './signals.ts';
import { loadTasks } from './task-files.ts';
import { counted } from './text.ts';
import { duration, integer, list, repeated, share } from './values.ts';
import { LOG_LEVELS, type LogOptions, workerLog } from './worker-log.ts';

interface Options extends LogOptions, MetricsOptions {
  readonly url?: string;
  readonly tasks?: readonly string[];
  readonly topic?: readonly string[];
  readonly tenant?: readonly string[];
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
}

export const work: CliCommand<Options> = { define, run };

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
    .option('--name <name>', "begins the worker's id at the engine (default: longshore)")
    .option('-c, --concurrency <n>', 'tasks at the same time (default: 10)', integer('--concurrency', 1))
    .option(
      '--target-cpu <share>',
      'as many as keep the processor this busy, e.g. 0.9',
      share('--target-cpu'),
    )
    .option('--target-memory <share>', '... and memory no fuller than this', share('--target-memory'))
    .option('--slots-min <n>', '... but never fewer (default: 50)', integer('--slots-min', 1))
    .option('--slots-max <n>', '... and never more (default: 500)', integer('--slots-max', 1))
    .option('--lock <time>', 'how long a lock holds unextended (default: 30s)', duration('--lock'))
    .option('--poll <time>', 'how long a fetch waits at the engine (default: 5s)', duration('--poll'))
    .option('--grace <time>', 'how long a stop waits for running tasks (default: 10s)', duration('--grace'))
    .addOption(
      new Option('--strategy <name>', 'where tasks run that do not say (default: async)').choices(STRATEGIES),
    )
    .option('--threads <n>', 'most threads for handlers (default: as many as cores)', integer('--threads', 1))
    .option('--processes <n>', 'most child processes for handlers', integer('--processes', 1))
    .option(
      '--metrics-port <n>',
      'serve /metrics for Prometheus, /ready and /live; 0: a free one',
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
    'longshore operaton work --url http://localhost:8080/engine-rest --tasks tasks/',
    'longshore operaton work --tasks tasks/ --topic charge-card=charge --concurrency 50',
    'OPERATON_URL=https://engine/engine-rest OPERATON_TOKEN=… longshore operaton work --tasks tasks/',
  );
}

async function run({ options, out }: Call<Options>): Promise<number> {
  // Standard output belongs to the events: what handlers print goes where messages go.
  if (out.json) Object.assign(console, new console.Console(process.stderr, process.stderr));
  const config = await loadConfig(options.config);
  const topics = await topicsOf(options, config);
  const { logger, pretty } = await workerLog(out, options, prettyLine);
  const worker = operatonWorker({
    ...runnerOptions({ ...config.worker, ...config.connect }),
    ...settings(options),
    topics,
    logger,
    ...(out.json ? { printTo: 'stderr' } : {}),
  });
  if (out.json) printEvents(worker, (line) => process.stdout.write(`${line}\n`));
  const { runner } = worker;
  const health = async (): Promise<{ ok: boolean }> => worker.health();
  const metrics = await startMetrics(null, { ...options, runners: [runner], health }, out);
  try {
    if (pretty) out.say(greeting(worker, topics, out));
    await runUntilSignal(worker, out);
  } finally {
    await metrics.close();
  }
  report(worker, pretty, out);
  return 0;
}

async function runUntilSignal(worker: OperatonWorker, out: Output): Promise<void> {
  const signalled = untilSignal(out);
  try {
    await worker.start();
    await signalled;
    const { running } = worker.runner;
    out.say(
      running === 0
        ? 'Stopping.'
        : `Stopping: waits for ${counted(running, 'running task')}. Again to stop at once.`,
    );
  } finally {
    await worker.stop();
  }
}

/** Throws USAGE, OPTION_INVALID, and what loading the task files throws. */
async function topicsOf(options: Options, config: Config): Promise<Readonly<Record<string, AnyTask>>> {
  const paths = taskPaths(options.tasks, config);
  const found = paths === null ? [] : await loadTasks(paths);
  // Threads and processes import the file that the task was found in.
  const tasks = found.map(
    ({ task, url }): AnyTask => (task.module === url ? task : { ...task, module: url }),
  );
  const pairs = options.topic ?? list(process.env.OPERATON_WORKER_TOPICS ?? '');
  if (pairs.length === 0)
    return Object.fromEntries((paths === null ? [echo] : tasks).map((task) => [task.name, task]));
  return Object.fromEntries(pairs.map((pair) => [pair.split('=')[0] ?? '', taskOf(pair, [...tasks, echo])]));
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
  const { targetCpu, targetMemory, slotsMin, slotsMax } = options;
  const tuner = defined({ targetCpu, targetMemory, slotsMin, slotsMax });
  const given = { url, name, concurrency, strategy, threads, processes, tenantIds, lockMs, pollMs, graceMs };
  return { ...defined(given), ...(Object.keys(tuner).length === 0 ? {} : { tuner }) };
}

function defined(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
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

function report({ id, tally }: OperatonWorker, pretty: boolean, out: Output): void {
  if (out.json)
    process.stdout.write(`${JSON.stringify({ at: Date.now(), event: 'work.ended', workerId: id, tally })}\n`);
  if (!pretty) return;
  const ends = Object.entries(tally).filter(([, count]) => count > 0);
  out.say(
    ends.length === 0
      ? 'Ended; no task was run.'
      : `Ended: ${ends.map(([name, count]) => `${count} ${name}`).join(', ')}.`,
  );
}
