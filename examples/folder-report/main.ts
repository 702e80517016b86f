/**
 * Longshore's own main job (`npm start`): a report on the files of a folder, made by durable jobs on an embedded store
 * that stays on disk. It reads like a user's program and uses nothing but the package's public names.
 *
 * arguments.ts -> run.ts (begins or continues a run, and works on it) -> tasks.ts (plan.ts, compress.ts, report.ts)
 * -> summary.ts. Standard output has the summary, standard error all that is said on the way.
 */
import { LongshoreError } from '../../src/index.ts';
import { parseArguments, UsageError } from './arguments.ts';
import { runFolderReport } from './run.ts';
import { printSummary } from './summary.ts';

const EXIT = { finished: 0, failed: 1, usage: 2, SIGINT: 130, SIGTERM: 143 } as const;

// Whoever reads along may leave early, as `head` does; the run goes on.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

try {
  const options = await parseArguments(process.argv.slice(2));
  if (options !== null) {
    const end = await runFolderReport(options);
    if (end.type === 'finished') {
      process.stdout.write(options.json ? `${JSON.stringify(end.summary)}\n` : printSummary(end.summary));
      process.exitCode = end.summary.ok ? EXIT.finished : EXIT.failed;
    } else {
      process.exitCode = EXIT[end.signal];
    }
  }
} catch (error) {
  const expected = error instanceof UsageError || error instanceof LongshoreError;
  process.stderr.write(`folder-report: ${expected ? error.message : ((error as Error).stack ?? error)}\n`);
  process.exitCode = error instanceof UsageError ? EXIT.usage : EXIT.failed;
}
