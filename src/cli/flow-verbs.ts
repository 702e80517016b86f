import type { Command } from 'commander';
import type { Flows } from '../flow/flows.ts';
import type { RunActionOptions } from '../flow/run-options.ts';
import { type Call, type CliCommand, examples, type VerbEntry } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { readPayload } from './json-input.ts';
import { parseJson } from './json-text.ts';
import { withStore } from './session.ts';
import { printable } from './text.ts';
import { whoAmI } from './who.ts';

/** What people do to a run by hand: `longshore flow VERB ID [STEP]`. Each is kept in the run's audit trail. */
interface Verb {
  readonly name: string;
  readonly summary: string;
  readonly define: (command: Command) => void;
  readonly examples: readonly string[];
  /** Before the store is opened: standard input, for one that takes a payload. */
  readonly read?: (args: readonly string[]) => Promise<unknown>;
  readonly act: (flows: Flows, given: Given) => Promise<void>;
}

interface Given {
  readonly id: string;
  readonly step: string;
  readonly audit: RunActionOptions;
  readonly options: VerbOptions;
  readonly payload: unknown;
}

interface VerbOptions {
  readonly by?: string;
  readonly why?: string;
  readonly compensate?: true;
  readonly input?: { readonly value: unknown };
}

const VERBS: readonly Verb[] = [
  {
    name: 'cancel',
    summary: 'stop a run; with --compensate undo what completed',
    define: (command) =>
      command.option('--compensate', 'run the undo of each step that completed, the last one first'),
    examples: [`longshore flow cancel order-7 --compensate --why 'the customer left'`],
    act: (flows, { id, audit, options }) =>
      flows.cancel(id, { ...audit, compensate: options.compensate === true }),
  },
  {
    name: 'retry',
    summary: 'run a failed step, its failed items or its failed undo once more',
    define: (command) =>
      withStep(command).option('--input <json>', 'another input for the step', (text) => ({
        value: parseJson(text, '--input', { typed: true }),
      })),
    examples: [
      'longshore flow retry order-7 reserve',
      `longshore flow retry order-7 charge --input '{"amount":42}' --why 'a typing error'`,
    ],
    act: (flows, { id, step, audit, options: { input } }) =>
      flows.retry(id, step, { ...audit, ...(input === undefined ? {} : { input: input.value }) }),
  },
  {
    name: 'resolve',
    summary: 'count a failed step as completed, without a result',
    define: withStep,
    examples: [`longshore flow resolve order-7 notify --why 'called by phone'`],
    act: (flows, { id, step, audit }) => flows.resolve(id, step, audit),
  },
  {
    name: 'complete',
    summary: 'count a step as completed, with a result by hand',
    define: (command) =>
      withStep(command).argument(
        '[result]',
        'the result as JSON; - reads it from standard input, as does a pipe',
      ),
    examples: [`longshore flow complete order-7 charge '{"receipt":"A-1"}' --why 'charged by hand'`],
    read: ([, , result]) => readPayload(result, 'The result'),
    act: (flows, { id, step, audit, payload }) => flows.complete(id, step, payload, audit),
  },
  {
    name: 'skip',
    summary: 'pass over a step, as if its branch had not been chosen',
    define: withStep,
    examples: [`longshore flow skip order-7 notify --by ada`],
    act: (flows, { id, step, audit }) => flows.skip(id, step, audit),
  },
];

export const FLOW_VERBS: readonly VerbEntry[] = VERBS.map((verb) => ({
  name: verb.name,
  summary: verb.summary,
  command: verbCommand(verb),
}));

function verbCommand(verb: Verb): CliCommand<VerbOptions> {
  return {
    define(command) {
      command.argument('<id>', 'the id of a run');
      verb.define(command);
      command
        .option('--by <who>', 'for the audit trail (default: user@host)')
        .option('--why <reason>', 'for the audit trail');
      examples(command, ...verb.examples);
    },
    run: (call) => run(call, verb),
  };
}

function withStep(command: Command): Command {
  return command.argument('<step>', 'the name of one of its steps');
}

async function run({ args, options, out }: Call<VerbOptions>, verb: Verb): Promise<number> {
  const [id = '', step] = args;
  const { by = whoAmI(), why } = options;
  const audit: RunActionOptions = { by, ...(why === undefined ? {} : { why }) };
  const payload = await verb.read?.(args);
  const state = await withStore(options, async ({ longshore: { flows, audit: log } }) => {
    await verb.act(flows, { id, step: step ?? '', audit, options, payload });
    await log.record({
      by,
      action: `${verb.name}${step === undefined ? 'Run' : 'Step'}`,
      target: step === undefined ? id : `${id} / ${step}`,
      why: why ?? null,
    });
    return (await flows.get(id))?.state ?? null;
  });
  if (out.json) out.document({ id, action: verb.name, step: step ?? null, state });
  else {
    const what = step === undefined ? verb.name : `${verb.name} ${printable(step)}`;
    out.print(`run ${printable(id)} took ${what}; it is ${state ?? 'gone'} now`);
  }
  return EXIT.done;
}
