import type { Command } from 'commander';
import { type Call, type CliCommand, examples } from '../command.ts';
import { readPayload } from '../json-input.ts';
import { withStore } from '../session.ts';
import { printable } from '../text.ts';

export const signal: CliCommand = { define, run };

function define(command: Command): void {
  command
    .argument('<run>', 'the id of a run')
    .argument('<name>', "the signal's name, by default that of the step that waits for it")
    .argument('[payload]', 'the payload as JSON; - reads it from standard input, as does a pipe');
  examples(command, `longshore signal order-7 approval '{"by":"ada"}'`);
}

async function run({ args, options, out }: Call): Promise<number> {
  const [id = '', name = '', given] = args;
  const payload = await readPayload(given, 'The payload');
  await withStore(options, ({ longshore }) => longshore.flows.signal(id, name, payload));
  if (out.json) out.document({ id, signal: name });
  else out.print(`signal ${printable(name)} sent to run ${printable(id)}`);
  return 0;
}
