import type { Command } from 'commander';
import type { Longshore } from '../../connect.ts';
import { LongshoreError } from '../../core/errors.ts';
import type { StepReason } from '../../core/flow/why-step.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { withStore } from '../session.ts';
import { printable } from '../text.ts';

export const why: CliCommand = { define, run };

function define(command: Command): void {
  command
    .argument('<id>', 'the id of a job, or of a run')
    .argument('[step]', 'of a run: one of its steps; default: all that have not ended');
  examples(
    command,
    'longshore why 0199a1c2-7b3d-7004-9f31-2c6d0e5b8a17',
    'longshore why order-7 charge',
    'longshore why ID --json | jq -r .reasons[].code',
  );
}

async function run({ args, options, out }: Call): Promise<number> {
  const [id = '', step] = args;
  const found = await withStore(options, ({ longshore }) => reasonsOf(longshore, id, step));
  if (found === null)
    throw new LongshoreError('JOB_UNKNOWN', `There is no job and no run ${id}.`, { details: { id } });
  if (out.json) out.document(found);
  else if ('steps' in found) {
    for (const one of found.steps)
      for (const { text } of one.reasons) out.print(`${printable(one.step)}: ${printable(text)}`);
    if (found.steps.length === 0) out.print(`The run is ${found.state}; no step waits.`);
  } else for (const { text } of found.reasons) out.print(printable(text));
  return 0;
}

type Found =
  | { readonly id: string; readonly state: string; readonly reasons: readonly StepReason[] }
  | {
      readonly id: string;
      readonly state: string;
      readonly steps: readonly { readonly step: string; readonly reasons: readonly StepReason[] }[];
    };

async function reasonsOf(
  { jobs, flows }: Longshore,
  id: string,
  step: string | undefined,
): Promise<Found | null> {
  const job = step === undefined ? await jobs.why(id) : null;
  if (job !== null) return job;
  const found = await flows.get(id);
  if (found === null) return null;
  const open = found.steps.filter(({ state, blocked }) => blocked || OPEN.includes(state));
  const names = step === undefined ? open.map(({ name }) => name) : [step];
  const steps = [];
  for (const name of names) {
    const told = await flows.why(id, name);
    if (told !== null) steps.push({ step: name, state: told.state, job: told.job, reasons: told.reasons });
  }
  return { id, state: found.state, steps };
}

const OPEN: readonly string[] = ['pending', 'running', 'waiting'];
