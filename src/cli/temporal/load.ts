import type { CliCommand } from '../command.ts';
import { UsageError } from '../exit-codes.ts';

export const load: CliCommand = {
  define: () => undefined,
  run: async () => {
    throw new UsageError('not there yet');
  },
};
