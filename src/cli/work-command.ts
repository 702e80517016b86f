import { type Command, Option } from 'commander';
import { STRATEGIES, type Strategy } from '../core/strategy.ts';
import type { AnyTask } from '../core/task.ts';
import type { TunerSettings } from '../tuner/settings.ts';
import type { MetricsOptions } from './metrics.ts';
import type { Output } from './output.ts';
import { untilSignal } from './signals.ts';
import { loadTasks } from './task-files.ts';
import { duration, integer, share } from './values.ts';
import { LOG_LEVELS, type LogOptions } from './worker-log.ts';

/** What `work` of the store and of each engine share: flags, tasks of files, --json, the life until a signal, and the last line. */

export interface TunerFlags {
  readonly targetCpu?: number;
  readonly targetMemory?: number;
  readonly slotsMin?: number;
  readonly slotsMax?: number;
  readonly ramp?: number;
}

export interface LaneFlags {
  readonly grace?: number;
  readonly strategy?: Strategy;
  readonly threads?: number;
  readonly processes?: number;
}

export interface ReportFlags extends LogOptions, MetricsOptions {}

/** `noun`: what runs, such as `jobs`. */
export function tunerFlags(command: Command, noun: string): Command {
  return command
    .option('-c, --concurrency <n>', `${noun} at the same time (default: 10)`, integer('--concurrency', 1))
    .option(
      '--target-cpu <share>',
      `as many ${noun} as keep the processor this busy, e.g. 0.9`,
      share('--target-cpu'),
    )
    .option(
      '--target-memory <share>',
      '... and memory no fuller than this, e.g. 0.8',
      share('--target-memory'),
    )
    .option('--slots-min <n>', `... but never fewer ${noun} (default: 50)`, integer('--slots-min', 1))
    .option('--slots-max <n>', '... and never more (default: 500)', integer('--slots-max', 1))
    .option('--ramp <time>', '... one more after this time (default: 50ms)', duration('--ramp'));
}

export function laneFlags(command: Command, noun: string): Command {
  return command
    .option('--grace <time>', `how long a stop waits for running ${noun} (default: 10s)`, duration('--grace'))
    .addOption(
      new Option('--strategy <name>', 'where tasks run that do not say (default: async)').choices(STRATEGIES),
    )
    .option('--threads <n>', 'most threads for handlers (default: as many as cores)', integer('--threads', 1))
    .option(
      '--processes <n>',
      'most child processes for handlers (default: as many as cores)',
      integer('--processes', 1),
    );
}

export function reportFlags(command: Command, metrics = '/metrics for Prometheus'): Command {
  return command
    .option(
      '--metrics-port <n>',
      `serve ${metrics}, /ready and /live; 0: a free one`,
      integer('--metrics-port', 0, 65_535),
    )
    .option('--metrics-host <name>', '... on this address (default: 127.0.0.1)')
    .addOption(
      new Option('--log-level <level>', 'default: info').choices(LOG_LEVELS).env('LONGSHORE_LOG_LEVEL'),
    )
    .addOption(
      new Option('--log-format <format>', 'default: pretty on a terminal, else json')
        .choices(['pretty', 'json'])
        .env('LONGSHORE_LOG_FORMAT'),
    );
}

/** No tuner where no flag asks for one. */
export function tunerOf(flags: TunerFlags): { readonly tuner?: Partial<TunerSettings> } {
  const { targetCpu, targetMemory, slotsMin, slotsMax, ramp: rampMs } = flags;
  const given = Object.entries({ targetCpu, targetMemory, slotsMin, slotsMax, rampMs }).filter(
    ([, value]) => value !== undefined,
  );
  return given.length === 0 ? {} : { tuner: Object.fromEntries(given) };
}

/**
 * Threads and processes import the file that a task was found in, which need not be the one that calls defineTask. Throws as
 * `loadTasks`.
 */
export async function tasksIn(
  paths: readonly string[],
  tell?: (note: string) => void,
): Promise<readonly AnyTask[]> {
  const found = await loadTasks(paths, tell);
  return found.map(({ task, url }) => (task.module === url ? task : Object.freeze({ ...task, module: url })));
}

/** With --json standard output belongs to the events: what handlers print goes where messages go. Returns what hosts are told of it. */
export function keepStdout({ json }: Output): { readonly printTo?: 'stderr' } {
  if (!json) return {};
  Object.assign(console, new console.Console(process.stderr, process.stderr));
  return { printTo: 'stderr' };
}

interface EngineWorker {
  start(): Promise<unknown>;
  stop(): Promise<unknown>;
  /** Where it can end by itself. */
  ended?(): Promise<unknown>;
}

/** Until SIGINT, SIGTERM or its own end. A fault of the settings rejects. `farewell`: null for none. */
export async function workUntilSignal(
  worker: EngineWorker,
  out: Output,
  farewell: () => string | null,
): Promise<void> {
  const signalled = untilSignal(out);
  try {
    await Promise.race([signalled, worker.start()]);
    await (worker.ended === undefined ? signalled : Promise.race([signalled, worker.ended()]));
    const text = farewell();
    if (text !== null) out.say(text);
  } finally {
    await worker.stop();
  }
}

/** `ends`: how many ended in which way. */
export function endText(noun: string, ends: Readonly<Record<string, number>>): string {
  const told = Object.entries(ends).filter(([, count]) => count > 0);
  return told.length === 0
    ? `Ended; no ${noun} was run.`
    : `Ended: ${told.map(([name, count]) => `${count} ${name}`).join(', ')}.`;
}

/** The last line of --json. */
export function printEnd(workerId: string, tally: Readonly<Record<string, number>>): void {
  process.stdout.write(`${JSON.stringify({ at: Date.now(), event: 'work.ended', workerId, tally })}\n`);
}
