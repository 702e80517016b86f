import { runBench } from '../bench-package.ts';
import type { CliCommand } from '../command.ts';

/** `longshore camunda bench`: the kit has it, with options of its own. */
export const bench: CliCommand = {
  define: (command) =>
    void command
      .helpOption(false)
      .allowUnknownOption()
      .allowExcessArguments()
      .argument('[arguments...]', 'as of `longshore bench camunda --help`'),
  run: ({ args, out }) => runBench(['camunda', ...args, ...(out.json ? ['--json'] : [])]),
};
