import { type Command, Option } from 'commander';
import { scenarios } from '../commands/scenarios.ts';
import { suite } from '../commands/suite.ts';
import { between, whole } from '../options.ts';
import { SUITES } from './suite.ts';

const WHICH = `${SUITES.join(', ')}, or a file of scenarios (.json)`;

/** Adds the commands of suites. They are no measurements like the others: results go to a folder, repeats are in the scenarios. */
export function addSuiteCommands(main: Command): void {
  main
    .command('suite')
    .description('jobs that do work, scenario by scenario; the results are saved after each')
    .argument('<suite>', WHICH)
    .addOption(
      new Option('--store <kind>', 'store')
        .choices(['memory', 'sqlite', 'postgres', 'redis'])
        .default('sqlite'),
    )
    .option('--url <url>', 'a running server; default: one is started, with fsync on, and stopped at the end')
    .addOption(
      new Option('--fsync <when>', 'how a Redis that is started here syncs its file').choices([
        'everysec',
        'always',
      ]),
    )
    .addOption(
      new Option('--phase <name>', 'only this phase; may be given several times')
        .argParser((name, before: readonly string[]) => [...before, name])
        .default([], 'all'),
    )
    .addOption(
      new Option('--limit <n>', 'at most so many scenarios').argParser(whole(1)).default(null, 'all'),
    )
    .option('--scale <x>', 'times the work of each job, for a quick look', between(0.001, 10), 1)
    .option('--continue-on-error', 'run the other scenarios although one failed')
    .option('--output <folder>', 'where the results are saved', 'bench-results')
    .option('--json', 'print one JSON document instead of a table')
    .option('--dir <folder>', "where the stores' files go; default: the system's temporary folder")
    .addOption(
      new Option(
        '--sabotage <how>',
        'falsify the first job of each scenario, to prove that the check notices',
      )
        .choices(['lost', 'repeated', 'wrong'])
        .default(null)
        .hideHelp(),
    )
    .action((named, { phase, continueOnError = false, ...options }) =>
      suite(named, { phases: phase, continueOnError, ...options }),
    );
  main
    .command('scenarios')
    .description('writes a suite as the file that `suite` takes, to be changed before; checks such a file')
    .argument('<suite>', WHICH)
    .option('--output <file>', 'where to; default: standard output')
    .action(scenarios);
}
