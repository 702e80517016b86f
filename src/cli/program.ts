import { styleText } from 'node:util';
import { Command, CommanderError } from 'commander';
import { VERSION } from '../version.ts';
import type { CliCommand, GlobalOptions } from './command.ts';
import { COMMANDS, type CommandEntry } from './commands.ts';
import { EXIT, exitCodeOf, UsageError } from './exit-codes.ts';
import { Output } from './output.ts';

/** Parses the arguments, loads the one command they name, runs it and turns whatever happened into an exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  if (withHelp(argv)[0] === 'bench') return passToBench(withHelp(argv));
  const out = new Output({ json: hasFlag(argv, '--json'), verbose: hasFlag(argv, '--verbose') });
  let code: number = EXIT.done;
  const program = build(out, (ended) => {
    code = ended;
  });
  try {
    await program.parseAsync(withHelp(argv), { from: 'user' });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) return fail(out, error);
    if (['commander.help', 'commander.helpDisplayed', 'commander.version'].includes(error.code))
      return error.exitCode;
    return fail(out, new UsageError(usageMessage(error, argv)));
  }
}

/** The kit has commands and options of its own, which this program does not know. */
async function passToBench([, ...argv]: readonly string[]): Promise<number> {
  try {
    const { runBench } = await import('./bench-package.ts');
    return await runBench(argv);
  } catch (error) {
    return fail(new Output({ json: hasFlag(argv, '--json'), verbose: hasFlag(argv, '--verbose') }), error);
  }
}

function build(out: Output, onEnd: (code: number) => void): Command {
  const program = new Command('longshore')
    .description('Durable jobs: run them, look at them, act on them.')
    .version(VERSION, '-V, --version', 'print the version')
    .option(
      '--store <url>',
      'where the jobs live, e.g. sqlite:jobs.db (or LONGSHORE_STORE, or the config file)',
    )
    .option(
      '--config <file>',
      'config file (default: longshore.config.ts, .js, .mjs or .json in this folder)',
    )
    .option('--json', 'one JSON document on standard output, for programs')
    .option('--verbose', 'print stacks of errors (or LONGSHORE_DEBUG=1)')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .configureHelp({
      showGlobalOptions: true,
      styleTitle: (text) => styleText('bold', text, { validateStream: false }),
    })
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
  program.addHelpText('after', MAIN_EXAMPLES);
  const entries = new Map<string, CommandEntry>();
  for (const entry of COMMANDS) {
    entries.set(entry.name, entry);
    program
      .command(entry.name)
      .summary(entry.summary)
      .description(sentence(entry.summary))
      .helpGroup(entry.group);
  }
  program.hook('preSubcommand', async (_program, command) => {
    const entry = entries.get(command.name());
    if (entry === undefined) return;
    const loaded = await entry.load();
    attach(command, loaded, out, onEnd);
    for (const { name, summary, command: verb } of loaded.verbs ?? [])
      attach(command.command(name).summary(summary).description(sentence(summary)), verb, out, onEnd);
  });
  return program;
}

function attach(
  command: Command,
  { define, run }: CliCommand<never>,
  out: Output,
  onEnd: (code: number) => void,
): void {
  define(command);
  command.action(async () => {
    onEnd(await run({ args: command.args, options: command.optsWithGlobals<never & GlobalOptions>(), out }));
  });
}

const MAIN_EXAMPLES = `
Start here:
  $ export LONGSHORE_STORE=sqlite:jobs.db
  $ longshore enqueue thumbnail '{"path":"a.png","width":200}'
  $ longshore work --tasks tasks/
  $ longshore jobs`;

function fail(out: Output, error: unknown): number {
  out.fail(error);
  return exitCodeOf(error);
}

/** `help jobs` is `jobs --help`; commander's own help command would not load the command first. */
function withHelp(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv;
  if (first !== 'help') return argv;
  const [name] = rest;
  return name === undefined || COMMANDS.some((entry) => entry.name === name) ? [...rest, '--help'] : rest;
}

/** Commander's sentence, and where to read more. */
function usageMessage({ message }: CommanderError, argv: readonly string[]): string {
  const name = argv.find((arg) => COMMANDS.some((entry) => entry.name === arg));
  const said = message.replace(/^error: /, '').replace('\n', ' ');
  return `${said}\nRun longshore ${name === undefined ? '--help' : `${name} --help`} for what there is.`;
}

function hasFlag(argv: readonly string[], flag: string): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).includes(flag);
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}
