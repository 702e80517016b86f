import { Command, Option } from 'commander';
import { burndown, burndownTable } from './commands/burndown.ts';
import { claimCost, claimCostTable } from './commands/claim-cost.ts';
import { idle, idleTable } from './commands/idle.ts';
import { latency, latencyTable } from './commands/latency.ts';
import { memory, memoryTable } from './commands/memory.ts';
import { between, whole } from './options.ts';
import { perform } from './perform.ts';

/**
 * `npm run -s bench -- <command>`: measures Longshore and checks, in every run, that each job ran exactly once.
 * Standard output holds the result alone, standard error the progress. docs/benchmarking.md says how to read it.
 */
const main = new Command('bench')
  .description(
    'Measures Longshore. Each command checks that every job ran exactly once, and fails otherwise.',
  )
  .showHelpAfterError();

const store = (...kinds: string[]): Option =>
  new Option('--store <kind>', 'store').choices(kinds).default('sqlite');
const sabotage = (): Option =>
  new Option('--sabotage <how>', 'falsify one run, to prove that the check notices')
    .choices(['lost', 'repeated'])
    .default(null)
    .hideHelp();

measurement('burndown', 'fill a queue, then empty it, beside a hand-written loop on the same store', 3)
  .addOption(store('memory', 'sqlite'))
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

measurement(
  'latency',
  'send jobs at a steady rate and time them from the intended send time to their handler',
  1,
)
  .addOption(store('memory', 'sqlite'))
  .option('--rate <n>', 'jobs a second', between(0.1, 100_000), 200)
  .option('--seconds <n>', 'how long', between(0.1, 86_400), 10)
  .option('--warmup <n>', 'seconds before, checked but not timed', between(0, 3_600), 1)
  .addOption(
    new Option('--processes <n>', 'sender and worker in one process, in two, or first this then that')
      .choices(['1', '2', 'both'])
      .default('both'),
  )
  .option('--concurrency <n>', 'jobs that run at once', whole(1, 100_000), 10)
  .addOption(sabotage())
  .action(perform('latency', latency, latencyTable));

measurement('idle', 'what a worker with nothing to do takes of a core', 1)
  .addOption(store('memory', 'sqlite'))
  .option('--seconds <n>', 'how long', between(0.1, 86_400), 10)
  .addOption(sabotage())
  .action(perform('idle', idle, idleTable));

measurement('memory', 'what an idle worker adds to the memory of Node', 5)
  .addOption(store('memory', 'sqlite'))
  .option('--settle <n>', 'seconds between the start and the look', between(0, 3_600), 3)
  .action(perform('memory', memory, memoryTable));

measurement('claim-cost', 'claims when few and when many jobs wait, or are finished', 1)
  .addOption(store('sqlite'))
  .option('--jobs <n>', 'the large number of jobs', whole(1, 100_000_000), 1_000_000)
  .option('--base <n>', 'the small number of jobs', whole(1, 100_000_000), 1_000)
  .option('--claims <n>', 'claims timed at each', whole(1, 1_000_000), 100)
  .option('--claim-size <n>', 'jobs in a claim', whole(1, 10_000), 100)
  .addOption(sabotage())
  .action(perform('claim-cost', claimCost, claimCostTable));

await main.parseAsync();

/** A command with the options that all of them have. */
function measurement(name: string, description: string, repeat: number): Command {
  return main
    .command(name)
    .description(description)
    .option('--repeat <n>', 'measure so often; figures are medians', whole(1, 1_000), repeat)
    .option('--json', 'print one JSON document instead of a table')
    .option('--output <file>', 'save the JSON document there, too')
    .option('--dir <folder>', "where the stores' files go; default: the system's temporary folder");
}
