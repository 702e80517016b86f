import { writeFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { compareResults } from './compare.ts';
import { comparisonText, reproach } from './comparison-text.ts';
import { type CompareOptions, NotComparable } from './differences.ts';
import { readResult, readResults } from './read-results.ts';
import { reportOf } from './report.ts';
import { NotAResult } from './result.ts';

/**
 * `report`, `compare` and `readme`, which read recorded results. Exit codes: 0; 1 where `compare` found a figure worse than allowed; 2
 * where an input is no result, or two results cannot be compared.
 */
export function addReportCommands(main: Command): void {
  main
    .command('report')
    .description('write recorded results as one HTML page with charts, which needs no other file')
    .argument('<results...>', 'files of results, or folders of them')
    .option('--output <file>', 'where the page goes', 'report.html')
    .option('--title <text>', 'heading of the page', 'Longshore, measured')
    .option('--json', 'print what the page shows as JSON, and write no page')
    .action((paths: string[], options: ReportOptions) => reading('report', () => report(paths, options)));
  main
    .command('compare')
    .description(
      'compare two results of one command: the ratio of each figure, with its interval and a verdict',
    )
    .argument('<before>', 'file of a result')
    .argument('<after>', 'file of a result')
    .option(
      '--max-loss <percent>',
      'exit with 1 when a figure is certainly worse, and by more than this',
      percent,
    )
    .option('--figures <text>', 'only figures whose name contains this')
    .option('--any-machine', 'compare although the machines differ')
    .option('--any-settings', 'compare although the settings differ')
    .option('--json', 'print one JSON document instead of a table')
    .action((before: string, after: string, options: CompareOptions & { readonly json?: boolean }) =>
      reading('compare', () => compare(before, after, options)),
    );
  main
    .command('readme')
    .description('write the tables and draw the charts of the README from the newest recorded results')
    .action(async () => (await import('../commands/readme.ts')).readme());
}

interface ReportOptions {
  readonly output: string;
  readonly title: string;
  readonly json?: boolean;
}

async function report(
  paths: readonly string[],
  { output, title, json = false }: ReportOptions,
): Promise<void> {
  const results = readResults(paths);
  if (json) return void process.stdout.write(`${JSON.stringify(reportOf(results), null, 2)}\n`);
  // Its packages take a quarter of a second to load.
  const { reportPage } = await import('./html/page.ts');
  writeFileSync(output, reportPage(results, title));
  process.stdout.write(`${output}: ${results.length} ${results.length === 1 ? 'result' : 'results'}\n`);
}

async function compare(
  before: string,
  after: string,
  { json = false, ...options }: CompareOptions & { readonly json?: boolean },
): Promise<void> {
  const comparison = compareResults(readResult(before), readResult(after), options);
  process.stdout.write(json ? `${JSON.stringify(comparison, null, 2)}\n` : `${comparisonText(comparison)}\n`);
  if (comparison.passed) return;
  process.stderr.write(`bench compare: ${reproach(comparison)}\n`);
  process.exitCode = 1;
}

async function reading(command: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    const expected = error instanceof NotAResult || error instanceof NotComparable || isSystemError(error);
    if (!expected) throw error;
    process.stderr.write(`bench ${command}: ${(error as Error).message}\n`);
    process.exitCode = 2;
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string';
}

function percent(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 100) return value;
  throw new InvalidArgumentError('Expected a percentage from 0 to 100.');
}
