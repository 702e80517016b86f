import { type Command, Option } from 'commander';
import { withoutPassword } from '../../core/redact.ts';
import { STRATEGIES, type Strategy } from '../../core/strategy.ts';
import type { AnyTask } from '../../core/task.ts';
import type { TunerSettings } from '../../tuner/settings.ts';
import type { Tally } from '../../worker/ended.ts';
import { ROLES, type WorkerRole } from '../../worker/roles.ts';
import type { WorkerSettings } from '../../worker/settings.ts';
import type { Worker } from '../../worker/worker.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { type Config, loadConfig } from '../config-file.ts';
import { startMetrics } from '../metrics.ts';
import type { Output } from '../output.ts';
import { printEvents } from '../print-events.ts';
import { taskPaths, withStore } from '../session.ts';
import { stopOnSignals } from '../signals.ts';
import { type FoundTask, loadTasks } from '../task-files.ts';
import { counted } from '../text.ts';
import { duration, integer, list, repeated, share } from '../values.ts';
import { LOG_LEVELS, type LogFormat, type LogLevel, makeLogger } from '../worker-log.ts';
import { requireTaskPaths } from './tasks.ts';

interface Options {
  readonly tasks?: readonly string[];
  readonly queue?: readonly string[];
  readonly concurrency?: number;
  readonly serial?: true;
  readonly targetCpu?: number;
  readonly targetMemory?: number;
  readonly slotsMin?: number;
  readonly slotsMax?: number;
  readonly ramp?: number;
  readonly lease?: number;
  readonly poll?: number;
  readonly grace?: number;
  readonly prefetch?: number;
  readonly strategy?: Strategy;
  readonly threads?: number;
  readonly processes?: number;
  readonly untilIdle?: true;
  readonly once?: true;
  readonly next?: true;
  readonly role?: WorkerRole;
  readonly logLevel?: LogLevel;
  readonly logFormat?: LogFormat;
  readonly metricsPort?: number;
  readonly metricsHost?: string;
}

export const work: CliCommand<Options> = { define, run };

function define(command: Command): void {
  command
    .option(
      '--tasks <path>',
      'file or folder with task files; may be repeated (or LONGSHORE_TASKS)',
      repeated,
    )
    .option('-q, --queue <name>', "work on this queue; may be repeated (default: the tasks' queues)", list)
    .option('-c, --concurrency <n>', 'jobs at the same time (default: 10)', integer('--concurrency', 1))
    .option('--serial', 'one after the other, in strict order')
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
    .option('--ramp <time>', '... one more after this time (default: 50ms)', duration('--ramp'))
    .option('--lease <time>', 'how long a claim holds unrenewed (default: 30s)', duration('--lease'))
    .option('--poll <time>', 'longest time between two looks at the store (default: 1s)', duration('--poll'))
    .option('--grace <time>', 'how long a stop waits for running jobs (default: 10s)', duration('--grace'))
    .option(
      '--prefetch <n>',
      'jobs held ready beyond those that run (default: 1000)',
      integer('--prefetch', 0),
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
    .addOption(new Option('--until-idle', 'end when no job is ready any more').conflicts('once'))
    .option('--once', 'run one batch of at most --concurrency jobs, then end')
    .addOption(new Option('--next', 'run one job, then end').conflicts(['once', 'untilIdle']))
    .addOption(
      new Option(
        '--role <role>',
        'processing (runs jobs) or scheduling (looks after the store); default: both',
      )
        .choices(ROLES)
        .conflicts(['once', 'untilIdle', 'next']),
    )
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
    'longshore work --tasks tasks/ --concurrency 20',
    'longshore work --tasks tasks/mail.ts --queue mail --serial',
    'longshore work --tasks tasks/ --target-cpu 0.9 --slots-min 1',
    'longshore work --tasks tasks/ --until-idle --json > events.jsonl',
  );
}

async function run({ options, out }: Call<Options>): Promise<number> {
  // Standard output belongs to the events: what handlers print goes where messages go.
  if (out.json) Object.assign(console, new console.Console(process.stderr, process.stderr));
  const config = await loadConfig(options.config);
  const notes: string[] = [];
  const found = await loadTasks(requireTaskPaths(taskPaths(options.tasks, config)), (note) =>
    notes.push(note),
  );
  const tasks = found.map(importable);
  return withStore(
    options,
    async ({ longshore, url }) => {
      const worker = longshore.worker({
        tasks,
        ...settings(options),
        ...(options.role === undefined ? {} : { roles: [options.role] }),
        ...withTasks(config.schedules, tasks),
        ...(out.json ? { printTo: 'stderr' } : {}),
      });
      const log = await makeLogger(longshore, out, options);
      if (out.json) printEvents(longshore, (line) => process.stdout.write(`${line}\n`));
      const metrics = await startMetrics(longshore, options, out);
      try {
        if (log.pretty) for (const note of notes) out.say(note);
        if (log.pretty) greet(worker, url, tasks, out);
        const tally = await runWorker(worker, options, out);
        report(worker, tally, log.pretty, out);
      } finally {
        await metrics.close();
      }
      return 0;
    },
    { create: true },
  );
}

/** A schedule that names a task of the files found gets the task itself, for its schema and its options. */
function withTasks(
  { schedules, ...owner }: Config['schedules'],
  tasks: readonly AnyTask[],
): Config['schedules'] {
  if (schedules === undefined) return owner;
  const found = Object.entries(schedules).map(([name, spec]) => {
    const { task } = (spec ?? {}) as { task?: unknown };
    const known = tasks.find((one) => one.name === task);
    return [name, known === undefined ? spec : { ...spec, task: known }];
  });
  return { schedules: Object.fromEntries(found), ...owner };
}

/** Threads and processes import the file that the task was found in, which need not be the one that calls defineTask. */
function importable({ task, url }: FoundTask): AnyTask {
  return task.module === url ? task : Object.freeze({ ...task, module: url });
}

/** Flags only: the config file and the environment are the worker's to merge. */
function settings(options: Options): Partial<WorkerSettings> {
  const { queue, concurrency, serial, lease, poll, grace, prefetch, strategy, threads, processes } = options;
  return {
    ...(queue === undefined ? {} : { queues: queue }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(serial === undefined ? {} : { serial }),
    ...tunerOf(options),
    ...(lease === undefined ? {} : { leaseMs: lease }),
    ...(poll === undefined ? {} : { pollMs: poll }),
    ...(grace === undefined ? {} : { graceMs: grace }),
    ...(prefetch === undefined ? {} : { prefetchMax: prefetch }),
    ...(strategy === undefined ? {} : { strategy }),
    ...(threads === undefined ? {} : { threads }),
    ...(processes === undefined ? {} : { processes }),
  };
}

function tunerOf(options: Options): Pick<Partial<WorkerSettings>, 'tuner'> {
  const { targetCpu, targetMemory, slotsMin, slotsMax, ramp: rampMs } = options;
  const given = Object.entries({ targetCpu, targetMemory, slotsMin, slotsMax, rampMs }).filter(
    ([, value]) => value !== undefined,
  );
  return given.length === 0 ? {} : { tuner: Object.fromEntries(given) };
}

function tuned({ targetCpu, targetMemory, slotsMin, slotsMax }: Partial<TunerSettings>): string {
  return `${slotsMin} to ${slotsMax} slots for a processor at ${targetCpu} and memory at ${targetMemory}`;
}

/** Resolves when the worker has stopped: by a signal, or because --once, --next or --until-idle was all it had to do. */
async function runWorker(
  worker: Worker,
  { once, next, untilIdle }: Options,
  out: Output,
): Promise<Readonly<Tally>> {
  const signals = stopOnSignals(worker, out);
  try {
    if (once) await worker.runOnce();
    else if (next) await worker.processNext();
    else if (untilIdle) await worker.runUntilIdle();
    else {
      await worker.start();
      await signals.stopped;
    }
  } finally {
    signals.release();
  }
  return worker.tally;
}

function greet(
  worker: Worker,
  url: string,
  tasks: readonly { name: string; queue: string }[],
  out: Output,
): void {
  const { concurrency, serial, queues, tuner } = worker.settings;
  const parts = [
    out.paintMessage('bold', 'longshore'),
    withoutPassword(url),
    `queues ${(queues ?? [...new Set(tasks.map(({ queue }) => queue))]).join(', ')}`,
    `tasks ${tasks.map(({ name }) => name).join(', ')}`,
    serial ? 'serial' : tuner === null ? counted(concurrency, 'slot') : tuned(tuner),
  ];
  out.say(parts.join('  '));
}

function report(worker: Worker, tally: Readonly<Tally>, pretty: boolean, out: Output): void {
  if (out.json)
    process.stdout.write(
      `${JSON.stringify({ at: Date.now(), event: 'work.ended', workerId: worker.id, tally })}\n`,
    );
  if (!pretty) return;
  const ends = Object.entries(tally).filter(([, count]) => count > 0);
  out.say(
    ends.length === 0
      ? 'Ended; no job was run.'
      : `Ended: ${ends.map(([name, count]) => `${count} ${name}`).join(', ')}.`,
  );
}
