import { type CliCommand, examples } from '../command.ts';
import { UsageError } from '../exit-codes.ts';
import { load } from '../temporal/load.ts';
import { work } from '../temporal/work.ts';

/** Workers and load for a Temporal server; what they share is in cli/temporal. */
export const temporal: CliCommand = {
  define: (command) =>
    examples(command, 'longshore temporal work --task-queue benchmark', 'longshore temporal load'),
  run: async () => {
    throw new UsageError(
      'longshore temporal is followed by work or load; longshore temporal --help tells more.',
    );
  },
  verbs: [
    { name: 'work', summary: 'run activities and workflows of a Temporal server', command: work },
    { name: 'load', summary: 'start workflows and measure how many end in a second', command: load },
  ],
};
