import { availableParallelism } from 'node:os';
import { type Command, Option } from 'commander';
import { engines, enginesTable } from '../commands/engines.ts';
import { among, between, whole } from '../options.ts';
import { perform } from '../perform.ts';
import { ENGINES, ENGINES_PARTS } from './engine.ts';

/** `bench engines`: its options. */
export function addEngines(command: Command): void {
  command
    .addOption(new Option('--engine <name>', 'which one').choices(ENGINES).makeOptionMandatory())
    .option('--url <url>', 'a running server; default: one is started, with its data in memory')
    .option('--parts <list>', `only these of ${ENGINES_PARTS.join(', ')}`, among(ENGINES_PARTS), [
      ...ENGINES_PARTS,
    ])
    .option('--works <n>', 'workflows, or process instances, in each run', whole(1, 1_000_000), 200)
    .option('--slots <n>', 'works that run at once, where no tuner decides', whole(1, 10_000), 20)
    .option('--rate <n>', 'works a second, for the latencies', between(0.1, 1_000), 10)
    .option('--rate-seconds <n>', 'for so long', whole(1, 3_600), 10)
    .option('--block-seconds <n>', 'how long a work holds its thread', whole(1, 3_600), 20)
    .option('--jobs <n>', 'works that compute for 150 ms each', whole(1, 100_000), 100)
    .option(
      '--cores <n>',
      'plain processes beside them; default: as many as cores',
      whole(1, 1_000),
      availableParallelism(),
    )
    .option('--target-cpu <share>', 'what the tuners are to keep to', between(0.05, 1), 0.6)
    .option('--tuner-seconds <n>', 'for how long they are watched', whole(1, 3_600), 30)
    .action(perform('engines', engines, enginesTable));
}
