import { type Command, Option } from 'commander';
import { defined } from '../../connectors/environment.ts';
import { withoutPassword } from '../../core/redact.ts';
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
import { counted } from '../text.ts';
import { duration, integer, list, repeated } from '../values.ts';
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
} from '../work-command.ts';
import { makeLogger } from '../worker-log.ts';
import { requireTaskPaths } from './tasks.ts';

interface Options extends TunerFlags, LaneFlags, ReportFlags {
  readonly tasks?: readonly string[];
  readonly queue?: readonly string[];
  readonly concurrency?: number;
  readonly serial?: true;
  readonly lease?: number;
  readonly poll?: number;
  readonly prefetch?: number;
  readonly untilIdle?: true;
  readonly once?: true;
  readonly next?: true;
  readonly role?: WorkerRole;
}

export const work: CliCommand<Options> = { define, run };

function define(command: Command): void {
  command
    .option(
      '--tasks <path>',
      'file or folder with task files; may be repeated (or LONGSHORE_TASKS)',
      repeated,
    )
    .option('-q, --queue <name>', "work on this queue; may be repeated (default: the tasks' queues)", list);
  tunerFlags(command, 'jobs')
    .option('--serial', 'one after the other, in strict order')
    .option('--lease <time>', 'how long a claim holds unrenewed (default: 30s)', duration('--lease'))
    .option('--poll <time>', 'longest time between two looks at the store (default: 1s)', duration('--poll'))
    .option(
      '--prefetch <n>',
      'jobs held ready beyond those that run (default: 1000)',
      integer('--prefetch', 0),
    );
  laneFlags(command, 'jobs')
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
    );
  reportFlags(command);
  examples(
    command,
    'longshore work --tasks tasks/ --concurrency 20',
    'longshore work --tasks tasks/mail.ts --queue mail --serial',
    'longshore work --tasks tasks/ --target-cpu 0.9 --slots-min 1',
    'longshore work --tasks tasks/ --until-idle --json > events.jsonl',
  );
}

async function run({ options, out }: Call<Options>): Promise<number> {
  const printing = keepStdout(out);
  const config = await loadConfig(options.config);
  const notes: string[] = [];
  const tasks = await tasksIn(requireTaskPaths(taskPaths(options.tasks, config)), (note) => notes.push(note));
  return withStore(
    options,
    async ({ longshore, url }) => {
      const worker = longshore.worker({
        tasks,
        ...settings(options),
        ...(options.role === undefined ? {} : { roles: [options.role] }),
        ...withTasks(config.schedules, tasks),
        ...printing,
      });
      const log = await makeLogger(longshore, out, options);
      if (out.json) printEvents(longshore, (line) => process.stdout.write(`${line}\n`));
      const metrics = await startMetrics(longshore, options, out);
      try {
        if (log.pretty) for (const note of notes) out.say(note);
        if (log.pretty) greet(worker, url, tasks, out);
        const tally = await runWorker(worker, options, out);
        if (out.json) printEnd(worker.id, { ...tally });
        if (log.pretty) out.say(endText('job', { ...tally }));
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

/** Flags only: the config file and the environment are the worker's to merge. */
function settings(options: Options): Partial<WorkerSettings> {
  const { queue: queues, concurrency, serial, strategy, threads, processes } = options;
  const { lease: leaseMs, poll: pollMs, grace: graceMs, prefetch: prefetchMax } = options;
  return {
    ...defined({ queues, concurrency, serial, strategy, threads, processes }),
    ...defined({ leaseMs, pollMs, graceMs, prefetchMax }),
    ...tunerOf(options),
  };
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
