import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import type { Bench } from '../bench.ts';
import { MachineWatch } from '../kit/machine-probe.ts';
import { describeMachine } from '../machine.ts';
import { inBench, requirePlaceFor } from '../perform.ts';
import { recordedArguments } from '../result.ts';
import type { StoreKind } from '../site.ts';
import { LANE_STRATEGIES } from './cell.ts';
import { exitCodeOf, type FoundTask, loadTasks, nearest, Output, UsageError } from './cli.ts';
import { documentOf } from './document.ts';
import { errorOf } from './faults.ts';
import { type Figures, figuresOf, type Recommendation, recommend } from './figures.ts';
import { readInputs } from './inputs.ts';
import { measureTask, type OwnTaskMeasure, profileCell } from './measure.ts';
import { type ProfileReport, prepareFolder, readProfiles } from './profile.ts';
import { printReport } from './report.ts';
import type { Subject } from './run-cell.ts';
import type { TaskOptions } from './task-options.ts';

/** The command: from what was typed to a report, a document and an exit code. */
export async function benchTask(file: string, options: TaskOptions): Promise<void> {
  const out = new Output({ json: options.json === true, verbose: options.verbose === true });
  // Standard output belongs to the report: what task files print as they are imported goes where messages go.
  Object.assign(console, new console.Console(process.stderr, process.stderr));
  const place = siteOf(options);
  await inBench('task', { dir: place.dir, profile: null }, async (bench) => {
    try {
      await measureAndReport(file, { ...options, ...place }, bench, out);
    } catch (error) {
      bench.signal.throwIfAborted();
      bench.progress.stop();
      out.fail(error);
      process.exitCode = exitCodeOf(error);
    }
  });
}

type Placed = Omit<TaskOptions, 'dir'> & ReturnType<typeof siteOf>;

async function measureAndReport(file: string, options: Placed, bench: Bench, out: Output): Promise<void> {
  const { output, profile, sabotage, jobTimeout = 30_000 } = options;
  if (output !== undefined) checkPlaceFor(output);
  if (profile !== undefined) prepareFolder(profile);
  const inputs = readInputs(options);
  const { task, file: shown, url } = oneOf(await loadTasks([file]), options.task);
  const cores = availableParallelism();
  const subject: Subject = {
    module: url,
    task: task.name,
    inputs,
    jobTimeoutMs: jobTimeout,
    cores,
    sabotage,
  };
  const settings = settingsOf(options, cores);
  const machine = describeMachine(bench.workspace.folder);
  const watch = new MachineWatch(bench.workspace.folder);
  const before = watch.probe();
  const startedAt = new Date().toISOString();
  const began = performance.now();
  const measured = await measureTask(settings, subject, bench);
  const recommendation = recommend(measured.cells, { ...settings, file: shown });
  const profiled =
    profile === undefined || bench.signal.aborted
      ? null
      : await takeProfile(profile, recommendation, settings, subject, bench);
  bench.progress.stop();
  const about = { task: task.name, file: shown, inputs: inputs.length, recommendation, profile: profiled };
  const figures: Figures = figuresOf(measured, about);
  const tookMs = Math.round(performance.now() - began);
  const facts = { arguments: recordedArguments(process.argv), startedAt, tookMs, machine, before };
  const document = documentOf(figures, { ...facts, after: watch.probe(), store: settings.store });
  if (options.json) out.document(document);
  else printReport(figures, out);
  if (output !== undefined) writeFileSync(output, `${JSON.stringify(document, null, 2)}\n`);
  // A measurement that was interrupted has that much.
  bench.signal.throwIfAborted();
}

/** Throws USAGE. */
function checkPlaceFor(output: string): void {
  try {
    requirePlaceFor(output);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function oneOf(found: readonly FoundTask[], name: string | undefined): FoundTask {
  const names = found.map(({ task }) => task.name);
  const [first] = found;
  if (name === undefined) {
    if (first !== undefined && found.length === 1) return first;
    throw new UsageError(`There are several tasks: ${names.join(', ')}. Say which: --task ${names[0]}`);
  }
  const one = found.find(({ task }) => task.name === name);
  if (one !== undefined) return one;
  const near = nearest(name, names);
  throw new UsageError(
    `There is no task ${name} here, only ${names.join(', ')}.${near === null ? '' : ` Did you mean ${near}?`}`,
  );
}

/** Which kind of store, and where it lies. A file's own folder is measured on, its file left alone. */
function siteOf({ store: url, dir }: TaskOptions): {
  readonly kind: StoreKind;
  readonly url?: string;
  readonly dir: string | undefined;
} {
  if (url === undefined) return { kind: 'sqlite', dir };
  if (/^postgres(ql)?:/.test(url)) return { kind: 'postgres', url, dir };
  if (/^rediss?:/.test(url)) return { kind: 'redis', url, dir };
  if (url.startsWith('memory:')) return { kind: 'memory', dir };
  return { kind: 'sqlite', dir: dir ?? dirname(url.replace(/^sqlite:/, '')) };
}

function settingsOf(options: Placed, cores: number): OwnTaskMeasure {
  const { kind, url, strategy, concurrency, concurrencyMax = 512 } = options;
  const { prefetch, p99, cellTime = 2_000, time = 120_000 } = options;
  return {
    store: kind,
    ...(url === undefined ? {} : { url }),
    strategies: strategy ?? LANE_STRATEGIES,
    strategiesGiven: strategy !== undefined,
    concurrencies: concurrency ?? null,
    concurrencyMax,
    prefetches: prefetch ?? null,
    p99Max: p99 ?? null,
    cellMs: cellTime,
    budgetMs: time,
    cores,
  };
}

async function takeProfile(
  folder: string,
  { strategy, concurrency, prefetchMax }: Recommendation,
  settings: OwnTaskMeasure,
  subject: Subject,
  bench: Bench,
): Promise<ProfileReport> {
  const cell = { strategy, concurrency, prefetchMax };
  const end = await profileCell(cell, folder, settings, subject, bench);
  if ('fault' in end) throw errorOf(end.fault, subject.task, 'with --profile');
  return readProfiles(folder);
}
