import type { Command } from 'commander';
import { generateLoad, type LoadReport, type LoadSettings, type LoadTarget } from '../../load/generate.ts';
import { type LoadFlags, loadSettings } from '../../load/settings.ts';
import { finalLine, progressLine } from '../../load/text.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { ENGINE_NAMES, openTarget, type TargetOptions } from '../load-targets.ts';
import type { Output } from '../output.ts';
import { loadStopper } from '../signals.ts';
import { duration, integer, number } from '../values.ts';

type Options = LoadFlags & TargetOptions;

export const load: CliCommand<Options> = { define, run };

/** Those that every load generator takes, whatever its target. */
export function loadOptions(command: Command): Command {
  return command
    .option('-c, --concurrency <n>', 'most under way at a time (default: 10)', integer('--concurrency', 1))
    .option('-n, --total <n>', 'how many to start (default: 100)', integer('--total', 1))
    .option('--infinite', 'go on until it is stopped')
    .option(
      '--rate <n>',
      'start so many in a second, and count times from then (open loop)',
      number('--rate'),
    )
    .option('--message <text>', 'what each is given (default: Test scheduler)')
    .option(
      '--report-interval <time>',
      'time between two reports (default: 10s)',
      duration('--report-interval'),
    )
    .option(
      '--max-run-time <time>',
      'start nothing after this time (default: no limit)',
      duration('--max-run-time'),
    );
}

function define(command: Command): void {
  command.option('--target <target>', `URL of a store (default: --store), or ${ENGINE_NAMES.join(' or ')}`);
  loadOptions(command)
    .option('--task <name>', 'of a store: the task of the jobs (default: echo)')
    .option(
      '-q, --queue <name>',
      "of a store: their queue (default: the task's); of temporal: the task queue (default: benchmark)",
    )
    .option(
      '--url <url>',
      'of operaton: its REST API (or OPERATON_URL); of temporal: host:port (or DEFAULT_TEMPORAL_URL)',
    )
    .option('--process <key>', 'of operaton: the process to start (default: one of a task of topic echo)');
  examples(
    command,
    'longshore load --target sqlite:jobs.db --task echo --total 1000',
    'longshore load --target operaton --url http://localhost:8080/engine-rest --infinite',
    'longshore load --rate 50 --max-run-time 1m --json',
  );
}

async function run({ options, out }: Call<Options>): Promise<number> {
  const settings = loadSettings(options, process.env);
  return drive(await openTarget(options, settings), settings, out);
}

/** Until all is done or a signal comes, telling how it goes. Resolves to the exit code. */
export async function drive(target: LoadTarget, settings: LoadSettings, out: Output): Promise<number> {
  const stopper = loadStopper(out);
  const tell = (report: LoadReport): void =>
    out.print(
      out.json ? JSON.stringify({ event: 'load.reported', ...report }) : progressLine(target.noun, report),
    );
  try {
    const report = await generateLoad(target, settings, {
      stop: stopper.signal,
      onReport: tell,
      onError: (message) => out.say(`${out.paintMessage('yellow', 'warning:')} ${message}`),
    });
    if (out.json) out.print(JSON.stringify({ event: 'load.ended', ...report }));
    else out.print(finalLine(target.noun, report));
    return report.failed > 0 ? EXIT.failed : EXIT.done;
  } finally {
    stopper.release();
    await target.close();
  }
}
