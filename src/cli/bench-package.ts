import type { CliCommand } from './command.ts';
import { UsageError } from './exit-codes.ts';

/** The measuring kit, the package longshore-bench: loaded where it is installed, and no part of this package. */
interface BenchPackage {
  runBench(argv: readonly string[]): Promise<number>;
}

const NAME = 'longshore-bench';

/** Its place among the commands. What it takes is the kit's affair, so this is reached only by options before the name. */
export const bench: CliCommand = {
  define: (command) => void command.allowUnknownOption().allowExcessArguments(),
  run: async () => {
    throw new UsageError(
      'Options of bench come after its name. Run longshore bench --help for what there is.',
    );
  },
};

/** Hands over to the kit. Throws `USAGE` where it is not installed. */
export async function runBench(argv: readonly string[]): Promise<number> {
  return (await load()).runBench(argv);
}

async function load(): Promise<BenchPackage> {
  try {
    return (await import(NAME)) as BenchPackage;
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new UsageError(
      `The package ${NAME}, which measures, is not installed beside this program. It is in the repository of Longshore: ` +
        'clone that, and run `npm run -s bench -- --help` there.',
    );
  }
}
