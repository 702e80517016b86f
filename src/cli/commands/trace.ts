import type { Command } from 'commander';
import { LongshoreError } from '../../core/errors.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { withStore } from '../session.ts';
import { traceText } from '../trace-text.ts';

export const trace: CliCommand = { define, run };

function define(command: Command): void {
  command.argument('<id>', 'a correlation id, or the id of a run or a job');
  examples(command, 'longshore trace request-7', "longshore trace order-7 --json | jq '.sum.phases'");
}

async function run({ args, options, out }: Call): Promise<number> {
  const [id = ''] = args;
  const found = await withStore(options, ({ longshore }) => longshore.trace(id));
  if (found === null)
    throw new LongshoreError(
      'JOB_UNKNOWN',
      `Nothing has the id ${id}: no job of that correlation id, no run and no job is kept.`,
      { details: { id } },
    );
  if (out.json) out.document(found);
  else {
    const width = process.stdout.isTTY ? process.stdout.columns : null;
    out.print(traceText(found, { width, paint: (format, text) => out.paint(format, text) }));
  }
  return 0;
}
