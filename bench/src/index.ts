import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import { burndown, burndownTable } from './commands/burndown.ts';
import { camunda, camundaTable } from './commands/camunda.ts';
import { claimCost, claimCostTable } from './commands/claim-cost.ts';
import { drivers, driversTable } from './commands/drivers.ts';
import { fleet, fleetTable } from './commands/fleet.ts';
import { flows } from './commands/flows.ts';
import { idle, idleTable } from './commands/idle.ts';
import { LANES_PARTS, lanes } from './commands/lanes.ts';
import { latency, latencyTable } from './commands/latency.ts';
import { memory, memoryTable } from './commands/memory.ts';
import { readme } from './commands/readme.ts';
import { versus, versusTable } from './commands/versus.ts';
import { wear, wearTable } from './commands/wear.ts';
import { work, workTable } from './commands/work.ts';
import { SHAPE_NAMES } from './flows/shape.ts';
import { flowsTable } from './flows/table.ts';
import { lanesTable } from './lanes/table.ts';
import { among, between, whole, wholeList } from './options.ts';
import { perform } from './perform.ts';
import { type ModeName, settingsOf } from './scenarios/modes.ts';
import { addSuiteCommands } from './suites/command-line.ts';
import { worked } from './work-options.ts';

/**
 * `npm run -s bench -- <command>`, or `longshore bench <command>`: measures Longshore and checks, in every run, that each
 * job ran exactly once. Standard output holds the result alone, standard error the progress. docs/benchmarking.md says how
 * to read it. Resolves to the exit code: 0, or 1 where a measurement failed, was falsified, or could not be made.
 */
export async function runBench(argv: readonly string[]): Promise<number> {
  await main.parseAsync(argv, { from: 'user' });
  return Number(process.exitCode ?? 0);
}

const main = new Command('bench')
  .description(
    'Measures Longshore. Each command checks that every job ran exactly once, and fails otherwise.',
  )
  .showHelpAfterError('(--help after the command lists what there is)');

const ALL = ['memory', 'sqlite', 'postgres', 'redis'] as const;
const SERVERS = ['postgres', 'redis'] as const;
const store = (kinds: readonly string[]): Option =>
  new Option('--store <kind>', 'store')
    .choices(kinds)
    .default(kinds.includes('sqlite') ? 'sqlite' : kinds[0]);
/** What has no option of its own there. */
const WORN = { payload: 10, concurrency: 100, batch: 500 };
const sabotage = (): Option =>
  new Option('--sabotage <how>', 'falsify one run, to prove that the check notices')
    .choices(['lost', 'repeated'])
    .default(null)
    .hideHelp();

onServers('burndown', 'fill a queue, then empty it, beside a hand-written loop on the same store', 3)
  .addOption(store(ALL))
  .option('--jobs <n>', 'jobs in each run', whole(1, 10_000_000), 50_000)
  .option('--payload <bytes>', "size of a job's input as JSON", whole(0, 1_000_000), 10)
  .option('--concurrency <n>', 'jobs that run at once', whole(1, 100_000), 100)
  .option(
    '--batch <n>',
    'jobs in an enqueueMany, and in a transaction of the hand-written loop',
    whole(1, 10_000),
    500,
  )
  .option('--warmup <jobs>', 'jobs each process runs before its clock starts', whole(0, 1_000_000), 10_000)
  .option(
    '--profile <folder>',
    'write CPU profiles of the pipeline there; its figures are then slower',
    String,
    null,
  )
  .addOption(sabotage())
  .action(perform('burndown', burndown, burndownTable));

onServers(
  'latency',
  'send jobs at a steady rate and time them from the intended send time to their handler',
  1,
)
  .addOption(store(ALL))
  .option('--rate <n>', 'jobs a second', between(0.1, 100_000), 200)
  .option('--seconds <n>', 'how long', between(0.1, 86_400), 10)
  .option('--warmup <n>', 'seconds before, checked but not timed', between(0, 3_600), 15)
  .addOption(
    new Option('--processes <n>', 'sender and worker in one process, in two, or first this then that')
      .choices(['1', '2', 'both'])
      .default('both'),
  )
  .option('--concurrency <n>', 'jobs that run at once', whole(1, 100_000), 10)
  .option('--rivals', 'other job systems on the same server, too')
  .addOption(sabotage())
  .action(perform('latency', latency, latencyTable));

onServers('idle', 'what a worker with nothing to do takes of a core', 1)
  .addOption(store(ALL))
  .option('--seconds <n>', 'how long', between(0.1, 86_400), 10)
  .addOption(sabotage())
  .action(perform('idle', idle, idleTable));

onServers('memory', 'what an idle worker adds to the memory of Node', 5)
  .addOption(store(ALL))
  .option('--settle <n>', 'seconds between the start and the look', between(0, 3_600), 3)
  .action(perform('memory', memory, memoryTable));

onServers('claim-cost', 'what finished and waiting jobs, and on PostgreSQL an old snapshot, cost a claim', 1)
  .addOption(store(['sqlite', 'postgres']))
  .option(
    '--jobs <n>',
    'sqlite: the large number of jobs (default: 1000000); postgres: jobs in each run (default: 200000)',
    whole(1, 100_000_000),
  )
  .option('--finished <n>', 'postgres: finished jobs in the store', whole(1, 100_000_000), 5_000_000)
  .option('--base <n>', 'sqlite: the small number of jobs', whole(1, 100_000_000), 1_000)
  .option('--claims <n>', 'sqlite: claims timed at each', whole(1, 1_000_000), 100)
  .option('--claim-size <n>', 'sqlite: jobs in a claim', whole(1, 10_000), 100)
  .addOption(sabotage())
  .action((options) =>
    options.store === 'postgres'
      ? perform('claim-cost', wear, wearTable)({ jobs: 200_000, ...WORN, ...options })
      : perform('claim-cost', claimCost, claimCostTable)({ jobs: 1_000_000, ...options }),
  );

onServers('fleet', 'several worker processes empty one queue together', 3)
  .addOption(store(ALL))
  .option('--jobs <n>', 'jobs in each run', whole(1, 10_000_000), 100_000)
  .option('--processes <list>', 'numbers of processes', wholeList(1, 100), [1, 2, 4, 10])
  .option('--payload <bytes>', "size of a job's input as JSON", whole(0, 1_000_000), 10)
  .option('--concurrency <n>', 'jobs that run at once in a process', whole(1, 100_000), 100)
  .option('--batch <n>', 'jobs in an enqueueMany', whole(1, 10_000), 500)
  .option('--warmup <jobs>', 'jobs each process runs before the clock starts', whole(0, 1_000_000), 2_000)
  .addOption(sabotage())
  .action(perform('fleet', fleet, fleetTable));

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

onServers('versus', 'other job systems on the same server', 5)
  .addOption(store(SERVERS))
  .option('--jobs <n>', 'jobs in each run', whole(1, 10_000_000), 50_000)
  .option('--systems <list>', 'only these, by name, separated by semicolons', (text) => text.split(/ *; */))
  .option('--payload <bytes>', "size of a job's input as JSON", whole(0, 1_000_000), 10)
  .addOption(
    new Option(
      '--strategy <name>',
      "redis: handlers in threads or processes, as many as jobs at once, beside BullMQ's sandboxed processors",
    ).choices(['thread', 'process']),
  )
  .option(
    '--concurrency <n>',
    'jobs that run at once (default: 100; with --strategy as many as cores)',
    whole(1, 100_000),
  )
  .option('--batch <n>', 'jobs enqueued at once', whole(1, 10_000), 1_000)
  .option('--warmup <jobs>', 'jobs each process runs before its clock starts', whole(0, 1_000_000), 5_000)
  .option('--queued <n>', 'redis: queued jobs whose memory is measured', whole(0, 10_000_000), 100_000)
  .addOption(sabotage())
  .action((options) => {
    const concurrency = options.strategy === undefined ? 100 : availableParallelism();
    return perform('versus', versus, versusTable)({ concurrency, ...options });
  });

onServers('flows', 'runs of flows of every shape, many at once, and fan-outs, beside other systems', 1)
  .addOption(store(ALL))
  .option('--shapes <list>', `only these of ${SHAPE_NAMES.join(', ')}`, among(SHAPE_NAMES), [...SHAPE_NAMES])
  .option('--rate <n>', 'runs a second of each shape', between(0.1, 10_000), 50)
  .option('--runs <n>', 'timed runs of each shape', whole(1, 1_000_000), 1_000)
  .option('--warmup <runs>', 'runs before them, checked but not timed', whole(0, 100_000), 200)
  .option(
    '--burst <runs>',
    'runs of linear3 and diamond started at once; 0: leave that out',
    whole(0, 100_000),
    1_000,
  )
  .option(
    '--items <list>',
    'items of fan-outs; 0: leave that out',
    wholeList(0, 1_000_000),
    [10, 100, 1_000, 10_000, 100_000],
  )
  .option(
    '--settle <jobs>',
    'jobs whose settle rate is compared with the plain one; 0: none',
    whole(0, 1_000_000),
    20_000,
  )
  .addOption(
    new Option('--processes <n>', 'runs are started and carried in one process, or in two')
      .choices(['1', '2'])
      .default('2'),
  )
  .option('--concurrency <n>', 'jobs that run at once', whole(1, 100_000), 100)
  .option('--timeout <seconds>', 'what takes longer counts as lost', between(1, 86_400), 120)
  .option('--rivals <list>', 'only these other systems, or none', (text) => text.split(/ *, */))
  .addOption(sabotage())
  .action((options) =>
    perform(
      'flows',
      flows,
      flowsTable,
    )({ ...options, items: options.items.filter((count: number) => count > 0) }),
  );

onServers('drivers', 'client libraries that a store could be built on', 5)
  .addOption(store(SERVERS))
  .option('--share <n>', 'part of the rounds to make, for a quick look', between(0.001, 1), 1)
  .action(perform('drivers', drivers, driversTable));

addSuiteCommands(main);

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

main
  .command('readme')
  .description('write the tables and draw the charts of the README from the newest recorded results')
  .action(readme);

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
