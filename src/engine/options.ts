import type { Clock } from '../core/clock.ts';
import { optionInvalid, requireName } from '../core/errors.ts';
import { knownNames, requireOptions } from '../core/options.ts';
import type { AnyTask } from '../core/task.ts';
import type { Tracing } from '../core/tracing.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Sensor } from '../tuner/sensor.ts';
import { type WorkerSettings, workerSettings } from '../worker/settings.ts';

/** The settings of a worker that concern lanes and slots: same names, defaults and environment variables. */
export type RunnerSettings = Pick<WorkerSettings, (typeof SETTING_NAMES)[number]>;

export interface RunnerOptions extends Partial<RunnerSettings> {
  /** The engine: `temporal`, `operaton`, `camunda`. Begins the runner's id. */
  readonly engine: string;
  readonly tasks: readonly AnyTask[];
  /** Largest input, result, progress or log datum as JSON, in bytes; default 1 MiB. */
  readonly payloadBytesMax?: number;
  /** As in ConnectOptions. */
  readonly logger?: boolean | Logger;
  /** `await otelTracing()` of `longshore/otel`; default: nothing is traced. */
  readonly tracing?: Tracing;
  /** For tests; default: the machine's. */
  readonly clock?: Clock;
  /** For tests; default: control groups or the machine. Runners and workers with the same one share their slots. */
  readonly sensor?: Sensor;
}

const SETTING_NAMES = [
  'concurrency',
  'tuner',
  'graceMs',
  'abortGraceMs',
  'strategy',
  'threads',
  'processes',
  'jobsPerHost',
  'recycleJobs',
  'recycleBytes',
  'heapBytesMax',
  'blockedMs',
  'printTo',
] as const satisfies readonly (keyof WorkerSettings)[];

const OPTIONS: ReadonlySet<string> = new Set([
  ...SETTING_NAMES,
  ...knownNames<Omit<RunnerOptions, keyof RunnerSettings>>({
    engine: true,
    tasks: true,
    payloadBytesMax: true,
    logger: true,
    tracing: true,
    clock: true,
    sensor: true,
  }),
]);

/** Code over environment over defaults. Throws OPTION_INVALID. */
export function runnerSettings(
  options: RunnerOptions,
  env: Readonly<Record<string, string | undefined>> = process.env,
): WorkerSettings {
  requireOptions('runner', options, OPTIONS);
  requireName('engine', options.engine, 40);
  if (!Array.isArray(options.tasks)) throw optionInvalid('tasks', options.tasks, 'an array of tasks');
  const given = SETTING_NAMES.filter((name) => options[name] !== undefined);
  return workerSettings(Object.fromEntries(given.map((name) => [name, options[name]])), {}, env);
}
