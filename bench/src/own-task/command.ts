import { type Command, type CommanderError, InvalidArgumentError, Option } from 'commander';
import { among, whole, wholeList } from '../options.ts';
import { benchTask } from './bench-task.ts';
import { LANE_STRATEGIES } from './cell.ts';
import { duration, EXIT, Output, repeated, UsageError } from './cli.ts';
import type { TaskOptions } from './task-options.ts';

/** The command `task`, with its help. */
export function addTaskCommand(main: Command): void {
  main.addHelpText('after', `\nA task of your own:\n${FIRST}\n  $ longshore bench task --help`);
  main
    .command('task', { isDefault: true })
    .summary('your own task: where its jobs run best, how many at a time, and why')
    .description(DESCRIPTION)
    .argument('<file>', 'file or folder with task files, as longshore work takes them')
    .option('--task <name>', 'which task, where there are several')
    .option('--input <json>', 'the input of its jobs; may be repeated: jobs get them by turns', repeated)
    .option('--inputs <file>', '... or a file with one input as JSON a line')
    .option('--p99 <time>', 'jobs may take no longer than this, 99 of 100, e.g. 200ms', time('--p99'))
    .option('--time <time>', 'no cell is begun after this (default: 2m)', time('--time'))
    .option('--cell-time <time>', 'how long each cell is timed (default: 2s)', time('--cell-time'))
    .option('--job-timeout <time>', 'a job that takes longer hangs (default: 30s)', time('--job-timeout'))
    .option('--strategy <list>', 'only these of async, thread, process', among(LANE_STRATEGIES))
    .option(
      '--concurrency <list>',
      'exactly these, e.g. 1,4,16, instead of up to the knee',
      wholeList(1, 10_000),
    )
    .option('--concurrency-max <n>', '... or up to the knee, but no further (default: 512)', whole(1, 10_000))
    .option('--prefetch <list>', 'exactly these, e.g. 0,10,1000', wholeList(0, 100_000))
    .option(
      '--store <url>',
      'a server to measure on, in a schema or behind a prefix that is dropped then (default: an embedded store in a temporary folder)',
    )
    .option('--dir <folder>', "where the embedded store's files go, e.g. on the disk that will have them")
    .option('--profile <folder>', 'run the best cell once more for CPU profiles and a heap snapshot')
    .option('--json', 'one JSON document on standard output, for programs')
    .option('--output <file>', 'write the JSON document there, too')
    .option('--verbose', 'print stacks of errors')
    .addOption(
      new Option('--sabotage <how>', 'falsify one cell, to prove that the check notices')
        .choices(['lost', 'repeated'])
        .default(null)
        .hideHelp(),
    )
    .addHelpText('after', EXAMPLES)
    .configureHelp({ commandUsage: () => 'longshore bench <file> [options]' })
    .configureOutput({ outputError: () => undefined })
    .showHelpAfterError(false)
    .exitOverride(leave)
    .action((file: string, options: TaskOptions) => benchTask(file, options));
}

/** A duration; what it is not is a usage error. */
function time(option: string): (text: string) => number {
  const parse = duration(option);
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  };
}

/** Wrong usage ends this command as it ends all others of the command line program. */
function leave({ message, exitCode }: CommanderError): never {
  if (exitCode === 0) process.exit(0);
  const said = message.replace(/^error: /, '').replace('\n', ' ');
  new Output({ json: process.argv.includes('--json'), verbose: false }).fail(
    new UsageError(`${said}\nRun longshore bench task --help for what there is.`),
  );
  process.exit(EXIT.usage);
}

const DESCRIPTION = `Runs the handler of your task on this machine, over and over: in each place where it can run (strategy), with more and more jobs at a time (concurrency), until more gains nothing. Says what to use, why, and what to paste. Takes a minute or two.

The handler does its real work each time: give it an input, a database and services that bear that. Jobs live in a store of the measurement's own. Each is counted: a lost or a doubled one fails the run.`;

const FIRST = `  $ longshore bench tasks/thumbnail.ts --input '{"path":"a.png","width":200}'`;

const EXAMPLES = `
Examples:
${FIRST}
  $ longshore bench tasks/ --task mail --inputs mails.jsonl --p99 500ms
  $ longshore bench tasks/thumbnail.ts --input '{"path":"a.png"}' --profile profiles/
  $ longshore bench tasks/thumbnail.ts --store postgres://localhost/app --output result.json

Exit codes: 0 measured, 1 the task or a check failed, 2 wrong options, 130 interrupted.`;
