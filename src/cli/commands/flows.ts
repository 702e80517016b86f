import type { Command } from 'commander';
import { LongshoreError, optionInvalid } from '../../core/errors.ts';
import { RUN_STATES, type RunState } from '../../core/flow/run.ts';
import { nearest } from '../../core/options.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { runColumns } from '../run-columns.ts';
import { withStore } from '../session.ts';
import { integer, list } from '../values.ts';

interface Options {
  readonly flow?: string;
  readonly state?: readonly string[];
  readonly limit?: number;
  readonly cursor?: string;
}

const LIMIT_DEFAULT = 50;

export const flows: CliCommand<Options> = { define, run };

function define(command: Command): void {
  command
    .option('-f, --flow <name>', 'only runs of this flow')
    .option(
      '-s, --state <state>',
      `only these states, repeated or with commas: ${RUN_STATES.join(', ')}`,
      list,
    )
    .option(
      '-n, --limit <n>',
      `at most this many, up to 1000 (default: ${LIMIT_DEFAULT})`,
      integer('--limit', 1, 1_000),
    )
    .option('--cursor <cursor>', 'go on where the list before ended');
  examples(
    command,
    'longshore flows --flow order --state blocked,failed',
    "longshore flows --state waiting --json | jq -r '.runs[].id'",
  );
}

async function run({ options, out }: Call<Options>): Promise<number> {
  const { flow, state, limit = LIMIT_DEFAULT, cursor } = options;
  const found = await withStore(options, ({ longshore }) =>
    longshore.flows.list({
      limit,
      ...(flow === undefined ? {} : { flow }),
      ...(state === undefined ? {} : { state: state.map(requireRunState) }),
      ...(cursor === undefined ? {} : { cursor }),
    }),
  );
  if (out.json) out.document(found);
  else if (found.runs.length === 0) out.say('No runs.');
  else out.table(runColumns(Date.now()), found.runs);
  if (!out.json && found.cursor !== null) out.say(`There are more: --cursor ${found.cursor}`);
  return 0;
}

/** Throws OPTION_INVALID. */
function requireRunState(state: string): RunState {
  if ((RUN_STATES as readonly string[]).includes(state)) return state as RunState;
  const near = nearest(state, RUN_STATES);
  if (near === null) throw optionInvalid('--state', state, `one of ${RUN_STATES.join(', ')}`);
  throw new LongshoreError('OPTION_INVALID', `--state is ${JSON.stringify(state)}; did you mean ${near}?`);
}
