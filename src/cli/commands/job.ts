import type { Command } from 'commander';
import { LongshoreError } from '../../core/errors.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { jobText } from '../job-text.ts';
import { withStore } from '../session.ts';

export const job: CliCommand = { define, run };

function define(command: Command): void {
  command.argument('<id>', 'the id of a job');
  examples(
    command,
    'longshore job 0199a1c2-7b3d-7004-9f31-2c6d0e5b8a17',
    'longshore job ID --json | jq .errors',
  );
}

async function run({ args, options, out }: Call): Promise<number> {
  const [id = ''] = args;
  const found = await withStore(options, ({ longshore }) => longshore.jobs.get(id));
  if (found === null) {
    throw new LongshoreError(
      'JOB_UNKNOWN',
      `There is no job ${id}: it never was, was removed, or its queue's retention deleted it.`,
      {
        details: { id },
      },
    );
  }
  if (out.json) out.document(found);
  else out.print(jobText(found, Date.now(), (format, text) => out.paint(format, text)));
  return 0;
}
