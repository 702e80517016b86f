import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { openServer } from '../../http/server.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { UsageError } from '../exit-codes.ts';
import { metricsOf } from '../metrics.ts';
import type { Output } from '../output.ts';
import { type Session, taskPaths, withStore } from '../session.ts';
import { untilSignal } from '../signals.ts';
import { loadTasksAndFlows } from '../task-files.ts';
import { tokensFrom } from '../tokens.ts';
import { duration, integer, list, repeated } from '../values.ts';

interface Options {
  readonly port?: number;
  readonly host?: string;
  readonly token?: readonly string[];
  readonly tokenFile?: string;
  readonly basePath?: string;
  readonly redact?: readonly string[];
  readonly origin?: readonly string[];
  readonly tasks?: readonly string[];
  readonly reports?: string;
  readonly metrics?: true;
  readonly failuresMax?: number;
  readonly grace?: number;
}

export const serve: CliCommand<Options> = {
  define: (command) => {
    define(command);
    examples(
      command,
      'longshore serve --store sqlite:jobs.db',
      'longshore serve --host 0.0.0.0 --token-file tokens.txt --tasks tasks/',
      'curl http://127.0.0.1:7070/api/v1/overview',
    );
  },
  run: (call) => run(call, '/api/v1'),
};

/** The same, naming the page: what a person opens. */
export const dashboard: CliCommand<Options> = {
  define: (command) => {
    define(command);
    examples(command, 'longshore dashboard --store sqlite:jobs.db');
  },
  run: (call) => run(call, '/'),
};

/** Which of the addresses is printed. */
type Named = '/api/v1' | '/';

const PORT_DEFAULT = 7070;
const GRACE_MS_DEFAULT = 10_000;

function define(command: Command): void {
  command
    .option('--port <n>', `0 for any that is free (default: ${PORT_DEFAULT})`, integer('--port', 0, 65_535))
    .option('--host <address>', 'address to listen on (default: 127.0.0.1); another one needs tokens')
    .option(
      '--token <role:token>',
      'look, act or administer, and a token of 16 characters or more; may be repeated, and be followed by :NAME and :EXPIRES',
      repeated,
    )
    .option('--token-file <file>', 'tokens, one a line (or LONGSHORE_HTTP_TOKENS)')
    .option('--base-path <path>', 'where a proxy mounts it, as /jobs')
    .option('--redact <path>', 'a payload path never shown, as input.card; may be repeated', list)
    .option('--origin <origin>', 'another origin whose pages may act; may be repeated', list)
    .option(
      '--tasks <path>',
      'task files: inputs are checked by their tasks, and their flows can be started (or LONGSHORE_TASKS)',
      repeated,
    )
    .option('--reports <folder>', 'results of the bench, which the page shows and compares')
    .option(
      '--failures-max <n>',
      'requests without a valid token that an address may send in a minute (default: 20)',
      integer('--failures-max', 0, 1_000_000_000),
    )
    .option('--metrics', 'metrics for Prometheus at /api/v1/metrics; needs the package prom-client')
    .option('--grace <time>', 'how long a stop waits for requests (default: 10s)', duration('--grace'));
}

function run({ options, out }: Call<Options>, named: Named): Promise<number> {
  const { token = [], tokenFile, host = '127.0.0.1' } = options;
  const variable = process.env.LONGSHORE_HTTP_TOKENS;
  const tokens = tokensFrom({ flags: token, file: tokenFile, variable });
  if (tokens.length === 0 && !/^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(host))
    throw new UsageError(
      `--host ${host} opens the API to other machines, which needs tokens: give --token, --token-file or LONGSHORE_HTTP_TOKENS.`,
    );
  return withStore(options, (session) =>
    listen(session, { options: { ...options, host }, tokens, out, named }),
  );
}

async function listen(
  { longshore, config }: Session,
  given: {
    readonly options: Options & { readonly host: string };
    readonly tokens: ReturnType<typeof tokensFrom>;
    readonly out: Output;
    readonly named: Named;
  },
): Promise<number> {
  const { options, tokens, out, named } = given;
  const { port = PORT_DEFAULT, host, basePath, redact = [], origin = [], grace = GRACE_MS_DEFAULT } = options;
  const { reports } = options;
  const paths = taskPaths(options.tasks, config);
  const code = paths === null ? { tasks: [], flows: [] } : await loadTasksAndFlows(paths);
  const handler = longshore.http({
    ...(tokens.length === 0 ? {} : { tokens }),
    ...(basePath === undefined ? {} : { basePath }),
    ...(reports === undefined ? {} : { reports: requireFolder(reports) }),
    // No worker of this process leads, so that nobody else may tell of the database here.
    ...(options.metrics ? { metrics: await metricsOf(longshore, '--metrics', { database: 'always' }) } : {}),
    ...(options.failuresMax === undefined ? {} : { failuresMax: options.failuresMax }),
    redact,
    origins: origin,
    ...code,
  });
  const server = await openServer(handler, { host, port });
  const signalled = untilSignal(out);
  const root = `${server.url}${basePath ?? ''}`;
  const url = root + named;
  if (out.json) out.document({ url, page: `${root}/`, openapi: `${root}/openapi.json` });
  else out.print(url);
  if (!out.json && named !== '/') out.say(`The page for people: ${root}/`);
  if (!out.json) out.say(farewell(tokens.length));
  await signalled;
  out.say('Stopping.');
  await server.close(grace);
  return 0;
}

/** Absolute, since the page asks for as long as the server runs. */
function requireFolder(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return resolve(path);
  throw new UsageError(`--reports ${path}: there is no such folder; measure with --output into one first.`);
}

function farewell(tokens: number): string {
  return tokens === 0
    ? 'For this machine alone; tokens open it to others. Ctrl-C stops it.'
    : `For callers with one of ${tokens} tokens. Ctrl-C stops it.`;
}
