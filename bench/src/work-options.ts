import { Argument, type Command, Option } from 'commander';
import { between, whole } from './options.ts';
import { describeModes, MODE_NAMES, STRATEGIES_ALL } from './scenarios/modes.ts';
import { WORKLOADS } from './scenarios/scenario.ts';

/** Makes the command one whose jobs do real work: a mode, and what may differ from it. */
export function worked(command: Command): Command {
  return command
    .addArgument(
      new Argument('[mode]', 'what is measured where no option says otherwise')
        .choices(MODE_NAMES)
        .default('default'),
    )
    .option('--jobs <n>', 'jobs in each run', whole(1, 1_000_000))
    .addOption(new Option('--strategy <name>', 'only this one').choices(STRATEGIES_ALL))
    .addOption(new Option('--workload <name>', 'only this one').choices(WORKLOADS))
    .option(
      '--concurrency <n>',
      'jobs that run at once (default: 10, in some modes others)',
      whole(1, 100_000),
    )
    .option(
      '--work-seconds <n>',
      'work of a job, by what one core or one writer does in so long',
      between(0.001, 3_600),
      3,
    )
    .option('--jitter <share>', 'by how much the work of a job may differ', between(0, 1), 0)
    .option('--job-timeout <ms>', 'of each job', whole(1), 30_000)
    .option(
      '--timeout <seconds>',
      'of each run; default: several times what it may take',
      between(0.1, 86_400),
    )
    .addHelpText('after', `\nModes:\n${describeModes()}`);
}
