import { type Command, Option } from 'commander';
import { ENGINE_NAMES, engines, enginesTable } from '../commands/engines.ts';
import { temporalEngine, temporalTable } from '../commands/temporal-engine.ts';
import { between, whole } from '../options.ts';
import { perform } from '../perform.ts';

/** `bench engines`: its options, and which measurement an engine has. */
export function addEngines(command: Command): void {
  command
    .addOption(
      new Option('--engine <name>', 'the engine')
        .choices([...ENGINE_NAMES, 'temporal'])
        .makeOptionMandatory(),
    )
    .option('--url <url>', 'a running server; default: one is started, and stopped at the end')
    .option(
      '--jobs <n>',
      'tasks in each run; of temporal, workflows (default: 600, of temporal 200)',
      whole(2, 1_000_000),
    )
    .option('--concurrency <n>', 'tasks at once', whole(1, 10_000), 10)
    .option(
      '--block-seconds <n>',
      'of temporal: how long an activity blocks; 0: leave that out',
      between(0, 3_600),
      20,
    )
    .action(({ blockSeconds, ...options }) =>
      options.engine === 'temporal'
        ? perform('engines', temporalEngine, temporalTable)({ jobs: 200, blockSeconds, ...options })
        : perform('engines', engines, enginesTable)({ jobs: 600, ...options }),
    );
}
