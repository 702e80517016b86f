import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import { camunda, camundaTable } from './commands/camunda.ts';
import { drivers, driversTable } from './commands/drivers.ts';
import { idle, idleTable } from './commands/idle.ts';
import { LANES_PARTS, lanes } from './commands/lanes.ts';
import { verbs, verbsTable } from './commands/verbs.ts';
import { work, workTable } from './commands/work.ts';
import { addEngines } from './engines/command-line.ts';
import { addKitCommands } from './kit/commands.ts';
import { lanesTable } from './lanes/table.ts';
import { among, between, whole } from './options.ts';
import { addTaskCommand } from './own-task/command.ts';
import { perform } from './perform.ts';
import { addReportCommands } from './report/command-line.ts';
import { type ModeName, settingsOf } from './scenarios/modes.ts';
import { addSuiteCommands } from './suites/command-line.ts';
import { worked } from './work-options.ts';

/**
 * `npm run -s bench -- <command>`, or `longshore bench <command>`: measures Longshore and checks, in every run, that each
 * job ran exactly once. Standard output holds the result alone, standard error the progress. docs/benchmarking.md says how
 * to read it. `name` is what the user typed. Resolves to the exit code: 0, or 1 where a measurement failed, was falsified, or
 * could not be made.
 */
export async function runBench(argv: readonly string[], name = 'bench'): Promise<number> {
  main.name(name);
  await main.parseAsync(argv, { from: 'user' });
  return Number(process.exitCode ?? 0);
}

const main: Command = new Command('bench')
  .description(
    'Measures Longshore. Each command checks that every job ran exactly once, and fails otherwise.',
  )
  .showHelpAfterError('(--help after the command lists what there is)')
  .addHelpText(
    'after',
    () =>
      `\nExamples:\n  $ ${main.name()} s1 --short\n  $ ${main.name()} rivals --only store=redis --rounds 5`,
  );

const ALL = ['memory', 'sqlite', 'postgres', 'redis'] as const;
const SERVERS = ['postgres', 'redis'] as const;
const store = (kinds: readonly string[]): Option =>
  new Option('--store <kind>', 'store')
    .choices(kinds)
    .default(kinds.includes('sqlite') ? 'sqlite' : kinds[0]);
const sabotage = (): Option =>
  new Option('--sabotage <how>', 'falsify one run, to prove that the check notices')
    .choices(['lost', 'repeated'])
    .default(null)
    .hideHelp();

addTaskCommand(main);

onServers('idle', 'what a worker with nothing to do takes of a core', 1)
  .addOption(store(ALL))
  .option('--seconds <n>', 'how long', between(0.1, 86_400), 10)
  .addOption(sabotage())
  .action(perform('idle', idle, idleTable));

onServers('lanes', 'what it costs to run handlers in threads and processes, and what it gains', 3)
  .addOption(store(ALL))
  .option('--parts <list>', `only these of ${LANES_PARTS.join(', ')}`, among(LANES_PARTS), [...LANES_PARTS])
  .option(
    '--hosts <n>',
    'threads, or processes; default: as many as cores',
    whole(1, 1_000),
    availableParallelism(),
  )
  .option('--jobs <n>', 'jobs that compute, in each run', whole(1, 1_000_000), 120)
  .option(
    '--iterations <n>',
    'steps that each of them computes; 650,000 take about 1 ms',
    whole(1, 10_000_000_000),
    96_000_000,
  )
  .option('--concurrency <n>', 'of these, jobs that run or wait for a host at once', whole(1, 100_000), 10)
  .option('--rate <n>', 'inline jobs a second meanwhile', between(0.1, 100_000), 100)
  .option('--noop-jobs <n>', 'jobs that do nothing, in each run', whole(1, 10_000_000), 30_000)
  .option('--noop-concurrency <n>', 'of these, jobs at once', whole(1, 100_000), 100)
  .option('--round-trips <n>', 'jobs through each pool alone', whole(1, 10_000_000), 20_000)
  .option('--block-seconds <n>', 'how long a handler blocks; 0: leave that out', between(0, 86_400), 60)
  .option('--lease-ms <n>', 'lease of the job that blocks', whole(500, 86_400_000), 5_000)
  .addOption(sabotage())
  .action(perform('lanes', lanes, lanesTable));

addEngines(measurement('engines', "a workflow engine's own worker beside ours, on the same server", 3));

onServers('drivers', 'client libraries that a store could be built on', 5)
  .addOption(store(SERVERS))
  .option('--share <n>', 'part of the rounds to make, for a quick look', between(0.001, 1), 1)
  .action(perform('drivers', drivers, driversTable));

onServers('verbs', 'what each kind of job costs the store: plain, delayed, with a unique key, with a key', 5)
  .addOption(store(ALL))
  .option('--jobs <n>', 'timed jobs of each kind in each run', whole(1, 10_000_000), 20_000)
  .option('--batch <n>', 'jobs enqueued, claimed and settled at once', whole(1, 10_000), 500)
  .addOption(sabotage())
  .action(perform('verbs', verbs, verbsTable));

addKitCommands(main);
addSuiteCommands(main);
addReportCommands(main);

worked(
  measurement('camunda', 'jobs that do real work, as process instances of a Camunda 8 cluster').option(
    '--url <address>',
    "of the cluster's REST API (default: CAMUNDA_REST_ADDRESS)",
    String,
    null,
  ),
).action((mode: ModeName, { strategy, workload, ...options }) =>
  perform(
    'camunda',
    camunda,
    camundaTable,
  )({
    ...options,
    ...settingsOf(mode, { strategy, workload, ...options }),
  }),
);

worked(
  onServers(
    'work',
    'jobs that do real work, in each lane: computing, writing, or waiting for a process',
  ).addOption(store(ALL)),
)
  .addOption(
    new Option('--sabotage <how>', 'falsify one job, to prove that the check notices')
      .choices(['lost', 'repeated', 'wrong'])
      .default(null)
      .hideHelp(),
  )
  .action((mode: ModeName, { strategy, workload, ...options }) =>
    perform('work', work, workTable)({ ...options, ...settingsOf(mode, { strategy, workload, ...options }) }),
  );

/** A command that can measure on a server, too. */
function onServers(name: string, description: string, repeat?: number): Command {
  return measurement(name, description, repeat)
    .option('--url <url>', 'a running server; default: one is started, with fsync on, and stopped at the end')
    .addOption(
      new Option('--fsync <when>', 'how a Redis that is started here syncs its file').choices([
        'everysec',
        'always',
      ]),
    );
}

/** A command with the options that all of them have. */
function measurement(name: string, description: string, repeat?: number): Command {
  return main
    .command(name)
    .description(description)
    .option('--repeat <n>', 'measure so often; figures are medians', whole(1, 1_000), repeat)
    .option('--json', 'print one JSON document instead of a table')
    .option('--output <file>', 'save the JSON document there, too')
    .option('--dir <folder>', "where the stores' files go; default: the system's temporary folder");
}
