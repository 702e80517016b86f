import type { Command } from 'commander';
import { ALL_QUEUES, type Queues } from '../queue/queues.ts';
import type { QueueRecord, QueueSettings } from '../store/store.ts';
import { type Call, type CliCommand, examples } from './command.ts';
import { UsageError } from './exit-codes.ts';
import { withStore } from './session.ts';
import { printable } from './text.ts';
import { whoAmI } from './who.ts';

/** What pause and resume have in common. */
export interface QueueSwitch {
  readonly verb: 'pause' | 'resume';
  readonly throw: (queues: Queues, queue: string) => Promise<QueueSettings>;
  readonly tell: (name: string, counts: QueueRecord['counts'] | null) => string;
}

export interface QueueSwitchOptions {
  readonly all?: true;
}

export function queueSwitch({ verb, throw: act, tell }: QueueSwitch): CliCommand<QueueSwitchOptions> {
  return {
    define(command: Command): void {
      command
        .argument('[queues...]', 'names of queues')
        .option('--all', `${verb} the whole fleet; queues paused one by one keep their own setting`);
      examples(command, `longshore ${verb} mail`, `longshore ${verb} --all`);
    },
    async run({ args, options, out }: Call<QueueSwitchOptions>): Promise<number> {
      if (args.length > 0 === (options.all === true))
        throw new UsageError('Give names of queues, or --all, not both.');
      await withStore(options, async ({ longshore }) => {
        const changed: QueueSettings[] = [];
        for (const name of options.all ? [ALL_QUEUES] : args) {
          changed.push(await act(longshore.queues, name));
          await longshore.audit.record({ by: whoAmI(), action: `${verb}Queue`, target: name });
        }
        if (out.json) return out.document({ queues: changed });
        const records = await longshore.queues.list();
        for (const { name } of changed) {
          if (name === ALL_QUEUES) {
            out.print(tell('all queues', null));
            continue;
          }
          const counts = records.find((record) => record.name === name)?.counts ?? null;
          out.print(tell(printable(name), counts));
          if (counts === null || Object.values(counts).every((count) => count === 0))
            out.say(`Queue ${printable(name)} holds no jobs; is its name right?`);
        }
      });
      return 0;
    },
  };
}
