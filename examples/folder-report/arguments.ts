import { mkdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError, InvalidArgumentError } from 'commander';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
const STORE_FILE_DEFAULT = join(CHECKOUT, '.longshore', 'folder-report.db');

export interface Options {
  /** Absolute, without symbolic links: the same folder is the same run, however it was named. */
  readonly folder: string;
  readonly storeUrl: string;
  /** The store's file; null where it has none. */
  readonly storeFile: string | null;
  readonly concurrency: number | null;
  readonly json: boolean;
}

/** The command line cannot be carried out as it stands. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Null when help was asked for and given. Throws UsageError. */
export async function parseArguments(argv: readonly string[]): Promise<Options | null> {
  const command = program();
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return null;
    throw new UsageError(error.message.replace(/^error: /, ''));
  }
  const given = command.opts<{ store?: string; concurrency?: number; json?: true }>();
  const storeUrl = given.store ?? `sqlite:${STORE_FILE_DEFAULT}`;
  return {
    folder: await requireFolder(command.args[0] ?? CHECKOUT),
    storeUrl,
    storeFile: await fileOf(storeUrl),
    concurrency: given.concurrency ?? null,
    json: given.json ?? false,
  };
}

function program(): Command {
  return new Command('npm start --')
    .description(
      'Hashes and compresses every file of a folder, one durable job a file, and reports. It changes nothing in the ' +
        'folder and leaves out .git, node_modules and .longshore. Stopped or killed half way, the next start on the ' +
        'same folder finishes the rest.',
    )
    .argument('[folder]', 'the folder (default: this repository)')
    .option('--store <url>', `where the jobs live (default: sqlite:${STORE_FILE_DEFAULT})`)
    .option('--concurrency <jobs>', 'files worked on at the same time (default: 10)', parseConcurrency)
    .option('--json', 'print one JSON document instead of the summary')
    .addHelpText(
      'after',
      '\nExit codes: 0 finished, and only the deliberate failure failed; 1 something else failed;\n' +
        '2 wrong usage; 130 stopped by Ctrl-C, 143 by SIGTERM: start again to go on.',
    )
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
}

/** With the real name of its folder, as the folder to report on has it. */
async function fileOf(storeUrl: string): Promise<string | null> {
  if (!storeUrl.startsWith('sqlite:')) return null;
  const file = resolve(storeUrl.slice('sqlite:'.length));
  await mkdir(dirname(file), { recursive: true });
  return join(await realpath(dirname(file)), basename(file));
}

function parseConcurrency(text: string): number {
  const jobs = Number(text);
  if (!Number.isInteger(jobs) || jobs < 1) throw new InvalidArgumentError('Expected a whole number from 1.');
  return jobs;
}

async function requireFolder(given: string): Promise<string> {
  const path = resolve(callerFolder(), given);
  let problem = 'it is not a folder';
  try {
    if ((await stat(path)).isDirectory()) return await realpath(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    problem = code === 'ENOENT' ? 'there is nothing of that name' : (error as Error).message;
  }
  throw new UsageError(`cannot report on ${path}: ${problem}`);
}

/** npm runs scripts in the package's folder; where the user stood, it says in INIT_CWD. */
function callerFolder(): string {
  const { npm_lifecycle_event: script, INIT_CWD: caller } = process.env;
  return script === 'start' && caller !== undefined ? caller : process.cwd();
}

/** For display: relative to the checkout where it lies inside, since the npm scripts run there. */
export function storeUrlToType({ storeUrl, storeFile }: Pick<Options, 'storeUrl' | 'storeFile'>): string {
  if (storeFile === null) return storeUrl;
  const inside = dirname(storeFile).startsWith(CHECKOUT) ? storeFile.slice(CHECKOUT.length) : storeFile;
  const url = `sqlite:${inside}`;
  return /^[\w:./\\-]+$/.test(url) ? url : `'${url}'`;
}
