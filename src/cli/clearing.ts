import type { Command } from 'commander';
import type { JobState } from '../core/job-state.ts';
import type { Queues } from '../queue/queues.ts';
import { type CliCommand, examples } from './command.ts';
import { confirm } from './confirm.ts';
import { EXIT } from './exit-codes.ts';
import { withStore } from './session.ts';
import { counted, printable } from './text.ts';
import { whoAmI } from './who.ts';

/** What drain and obliterate have in common: they delete the jobs of one queue, after asking. */
export interface Clearing<Options> {
  readonly verb: 'drain' | 'obliterate';
  readonly states: readonly JobState[];
  readonly define?: (command: Command) => void;
  readonly clear: (queues: Queues, name: string, options: Options) => Promise<number>;
}

export interface ClearingOptions {
  readonly yes?: true;
}

export function clearingCommand<Options>(clearing: Clearing<Options>): CliCommand<Options & ClearingOptions> {
  const { verb, states } = clearing;
  return {
    define(command) {
      command.argument('<queue>', 'name of a queue').option('-y, --yes', 'do not ask');
      clearing.define?.(command);
      examples(command, `longshore ${verb} mail --yes`);
    },
    async run({ args, options, out }) {
      const [name = ''] = args;
      const removed = await withStore(options, async ({ longshore: { queues, audit } }) => {
        const record = (await queues.list()).find((queue) => queue.name === name);
        const count = states.reduce((sum, state) => sum + (record?.counts[state] ?? 0), 0);
        const question = `Delete ${counted(count, 'job')} of queue ${printable(name)} for good?`;
        if (count > 0 && !options.yes && !(await confirm(question, out))) return null;
        const removed = await clearing.clear(queues, name, options);
        const action = `${verb}Queue`;
        await audit.record({ by: whoAmI(), action, target: name, details: { did: { removed } } });
        return removed;
      });
      if (removed === null) return EXIT.failed;
      if (out.json) out.document({ queue: name, removed });
      else out.print(`${counted(removed, 'job')} of ${printable(name)} removed`);
      return removed > 0 ? EXIT.done : EXIT.failed;
    },
  };
}
