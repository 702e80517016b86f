import type { Command } from 'commander';
import type { Longshore } from '../../connect.ts';
import { LongshoreError } from '../../core/errors.ts';
import { memberOf } from '../../core/legible.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { readPayload } from '../json-input.ts';
import { withStore } from '../session.ts';
import { printable } from '../text.ts';
import { whoAmI } from '../who.ts';

export const signal: CliCommand = { define, run };

function define(command: Command): void {
  command
    .argument('<id>', 'the id of a run or of a job')
    .argument('<name>', "the signal's name, by default that of the step that waits for it")
    .argument('[payload]', 'the payload as JSON; - reads it from standard input, as does a pipe');
  examples(command, `longshore signal order-7 approval '{"by":"ada"}'`);
}

async function run({ args, options, out }: Call): Promise<number> {
  const [id = '', name = '', given] = args;
  const payload = await readPayload(given, 'The payload');
  const to = await withStore(options, async ({ longshore }) => {
    const found = await send(longshore, { id, name, payload });
    const action = found === 'run' ? 'signalRun' : 'signalJob';
    await longshore.audit.record({ by: whoAmI(), action, target: id, details: { given: { name } } });
    return found;
  });
  if (out.json) out.document({ id, signal: name, to });
  else out.print(`signal ${printable(name)} sent to ${to} ${printable(id)}`);
  return 0;
}

/** To the run of that id, or else to the job. */
async function send(
  { flows, jobs }: Longshore,
  { id, name, payload }: { readonly id: string; readonly name: string; readonly payload: unknown },
): Promise<'run' | 'job'> {
  try {
    await flows.signal(id, name, payload);
    return 'run';
  } catch (error) {
    if (memberOf(error, 'code') !== 'RUN_UNKNOWN') throw error;
  }
  try {
    await jobs.signal(id, name, payload);
    return 'job';
  } catch (error) {
    if (memberOf(error, 'code') !== 'JOB_UNKNOWN') throw error;
    const message = `There is no run '${id}' and no job of that id: it never was, or it ended and is kept no longer.`;
    throw new LongshoreError('RUN_UNKNOWN', message, { details: { id } });
  }
}
