import type { Command } from 'commander';
import type { MigrationReport } from '../../store/store.ts';
import { storeDriver } from '../../store-driver.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { loadConfig } from '../config-file.ts';
import type { Output } from '../output.ts';
import { storeUrl } from '../session.ts';

interface Options {
  readonly dryRun?: true;
}

export const migrate: CliCommand<Options> = { define, run };

function define(command: Command): void {
  command.option('--dry-run', 'only say what would be done');
  examples(command, 'longshore migrate --dry-run', 'longshore migrate');
}

async function run({ options, out }: Call<Options>): Promise<number> {
  const dryRun = options.dryRun === true;
  const url = storeUrl(options, await loadConfig(options.config));
  const driver = await storeDriver(url);
  const report = await driver.migrate(url, { dryRun });
  if (out.json) out.document({ dryRun, ...report });
  else tell(report, dryRun, out);
  return 0;
}

function tell({ from, to, steps }: MigrationReport, dryRun: boolean, out: Output): void {
  if (steps.length === 0) {
    out.print(`The layout is up to date (version ${to}).`);
    return;
  }
  for (const { version, name, applied } of steps)
    out.print(`${applied ? 'applied' : 'to do  '}  ${String(version).padStart(4, '0')}-${name}`);
  out.print(`${dryRun ? 'The layout would go' : 'The layout went'} from version ${from} to ${to}.`);
}
