import { type Command, Option } from 'commander';
import { LongshoreError, optionInvalid } from '../../core/errors.ts';
import { nearest } from '../../core/options.ts';
import type { AnyFlow } from '../../flow/flow.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { loadConfig } from '../config-file.ts';
import { UsageError } from '../exit-codes.ts';
import { followRun } from '../follow-run.ts';
import { readPayload } from '../json-input.ts';
import { taskPaths, withStore } from '../session.ts';
import { loadFlows } from '../task-files.ts';
import { printable } from '../text.ts';
import { duration, repeated } from '../values.ts';
import { requireTaskPaths } from './tasks.ts';

interface Options {
  readonly tasks?: readonly string[];
  readonly id?: string;
  readonly identity?: 'new' | 'strict';
  readonly wait?: true;
  readonly timeout?: number;
}

export const start: CliCommand<Options> = { define, run };

function define(command: Command): void {
  command
    .argument('<flow>', "a flow's name")
    .argument('[input]', 'the input as JSON; - reads it from standard input, as does a pipe')
    .option(
      '--tasks <path>',
      'file or folder with task files that export the flow; may be repeated (or LONGSHORE_TASKS)',
      repeated,
    )
    .addOption(
      new Option('--id <id>', "the run's id: a second start with it starts nothing").conflicts('identity'),
    )
    .addOption(
      new Option('--identity <identity>', 'strict: the same flow and input is the same run').choices([
        'new',
        'strict',
      ]),
    )
    .option('--wait', 'wait for the run to end, tell what its steps do, and print its result')
    .option('--timeout <time>', 'with --wait: give up waiting after this long', duration('--timeout'));
  examples(
    command,
    `longshore start order '{"id":"7","amount":4200}' --tasks tasks/ --id order-7`,
    `longshore start order '{"id":"7","amount":4200}' --tasks tasks/ --wait --timeout 1m`,
  );
}

async function run({ args, options, out }: Call<Options>): Promise<number> {
  if (options.timeout !== undefined && !options.wait) throw new UsageError('--timeout needs --wait.');
  const [name = '', given] = args;
  const input = await readPayload(given, 'The input');
  const config = await loadConfig(options.config);
  const flow = await findFlow(name, requireTaskPaths(taskPaths(options.tasks, config)));
  const { id: wanted, identity } = options;
  return withStore(
    options,
    async ({ longshore: { flows } }) => {
      const handle = await flows.start(flow, input, {
        ...(wanted === undefined ? {} : { id: wanted }),
        ...(identity === undefined ? {} : { identity }),
      });
      const { id, status } = handle;
      if (status === 'existing' && !out.json) out.say('The run was there already; nothing was started.');
      if (!options.wait) {
        if (out.json) out.document({ id, status, flow: name });
        else out.print(id);
        return 0;
      }
      if (!out.json) out.say(`Waits for run ${printable(id)}.`);
      const look = () => flows.get(id);
      const result = await followRun(handle, { look, timeoutMs: options.timeout, out });
      if (out.json) out.document({ id, status, flow: name, state: 'completed', result: result ?? null });
      else out.print(JSON.stringify(result ?? null, null, process.stdout.isTTY ? 2 : 0));
      return 0;
    },
    { create: true },
  );
}

/** Throws OPTION_INVALID with the flows there are, and what loadFlows throws. */
export async function findFlow(name: string, paths: readonly string[]): Promise<AnyFlow> {
  const flows = (await loadFlows(paths)).map(({ flow }) => flow);
  const found = flows.find((flow) => flow.name === name);
  if (found !== undefined) return found;
  const names = flows.map((flow) => flow.name);
  const near = nearest(name, names);
  if (near === null) throw optionInvalid('flow', name, `one of ${names.join(', ')}`);
  throw new LongshoreError('OPTION_INVALID', `flow is ${JSON.stringify(name)}; did you mean ${near}?`);
}
