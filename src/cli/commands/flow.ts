import type { Command } from 'commander';
import { runGone } from '../../flow/run-watch.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { FLOW_VERBS } from '../flow-verbs.ts';
import { runText } from '../run-text.ts';
import { withStore } from '../session.ts';

const show: CliCommand = { define, run };

/** Without a verb it shows a run. */
export const flow: CliCommand = {
  ...show,
  verbs: [{ name: 'show', summary: 'show a run, also one whose id is a verb', command: show }, ...FLOW_VERBS],
};

function define(command: Command): void {
  command.argument('<id>', 'the id of a run');
  examples(
    command,
    'longshore flow order-7',
    "longshore flow order-7 --json | jq '.steps[] | {name, state}'",
  );
}

async function run({ args, options, out }: Call): Promise<number> {
  const [id = ''] = args;
  const found = await withStore(options, ({ longshore }) => longshore.flows.get(id));
  if (found === null) throw runGone(id);
  if (out.json) out.document(found);
  else {
    const width = process.stdout.isTTY ? process.stdout.columns : null;
    out.print(runText(found, { now: Date.now(), width, paint: (format, text) => out.paint(format, text) }));
  }
  return 0;
}
