import type { Command } from 'commander';
import { fromEnvironment } from '../../connectors/environment.ts';
import { SCHEDULER_VARIABLES } from '../../connectors/temporal/environment.ts';
import { type LoadFlags, loadSettings } from '../../load/settings.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { drive, loadOptions } from '../commands/load.ts';
import { integer } from '../values.ts';
import { type ConnectionOptions, connectionFlags, connectionOf, environment, withSdk } from './settings.ts';

interface Options extends LoadFlags, ConnectionOptions {
  readonly taskQueue?: string;
  readonly activities?: number;
}

export const load: CliCommand<Options> = { define, run };

function define(command: Command): void {
  command
    .option('--task-queue <name>', 'of the workflows (or SCHEDULER_TASK_QUEUE; default: benchmark)')
    .option('--namespace <name>', 'or SCHEDULER_NAMESPACE (default: default)');
  connectionFlags(command);
  loadOptions(command).option(
    '--activities <n>',
    'activities of each workflow, in sequence (default: 1, with --infinite 3)',
    integer('--activities', 0, 10_000),
  );
  examples(
    command,
    'longshore temporal load --total 1000 --concurrency 50',
    'longshore temporal load --infinite --report-interval 5s',
    'longshore temporal load --rate 20 --max-run-time 1m --json',
  );
}

async function run({ options, out }: Call<Options>): Promise<number> {
  const env = environment(options.dotenv, out);
  const found = fromEnvironment(SCHEDULER_VARIABLES, env);
  const settings = loadSettings(options, env);
  const { temporalLoadTarget } = await withSdk(() => import('../../connectors/temporal/load-target.ts'));
  const target = await temporalLoadTarget({
    connection: connectionOf(options, env),
    namespace:
      options.namespace ?? found.SCHEDULER_NAMESPACE ?? (env.DEFAULT_TEMPORAL_NAMESPACE || 'default'),
    taskQueue: options.taskQueue ?? found.SCHEDULER_TASK_QUEUE ?? 'benchmark',
    message: settings.message,
    count: options.activities ?? (settings.total === null ? 3 : 1),
  });
  return drive(target, settings, out);
}
