import { type CliCommand, examples } from '../command.ts';
import { UsageError } from '../exit-codes.ts';
import { work } from '../operaton/work.ts';

/** Workers for Operaton and Camunda 7. Load is put on it by `longshore load --target operaton`. */
export const operaton: CliCommand = {
  define: (command) =>
    examples(
      command,
      'longshore operaton work --url http://localhost:8080/engine-rest --tasks tasks/',
      'longshore load --target operaton',
    ),
  run: async () => {
    throw new UsageError('longshore operaton is followed by work; longshore operaton --help tells more.');
  },
  verbs: [{ name: 'work', summary: 'run external tasks with the tasks of a file or folder', command: work }],
};
