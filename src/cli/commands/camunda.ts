import { bench } from '../camunda/bench.ts';
import { work } from '../camunda/work.ts';
import { type CliCommand, examples } from '../command.ts';
import { UsageError } from '../exit-codes.ts';

/** Workers for a cluster of Camunda 8; what they share is in cli/camunda. */
export const camunda: CliCommand = {
  define: (command) =>
    examples(command, 'longshore camunda work --tasks tasks/', 'longshore camunda bench quick'),
  run: async () => {
    throw new UsageError(
      'longshore camunda is followed by work or bench; longshore camunda --help tells more.',
    );
  },
  verbs: [
    {
      name: 'work',
      summary: 'run jobs of a Camunda 8 cluster with the tasks of a file or folder',
      command: work,
    },
    {
      name: 'bench',
      summary: 'measure workers on a Camunda 8 cluster, with the package longshore-bench',
      command: bench,
    },
  ],
};
