import { parseDuration } from '../core/duration.ts';
import { LongshoreError, optionInvalid, requireInteger, requireMs } from '../core/errors.ts';
import { requireStrategy, type Strategy } from '../core/strategy.ts';
import { requireQueue } from '../core/task.ts';
import type { TunerSettings } from '../tuner/settings.ts';
import { TUNER_VARIABLES, tunerOf } from './tuning.ts';

/**
 * The settings of a worker and where they come from: code wins over the config file, the file over LONGSHORE_*
 * environment variables, those over the defaults.
 */

export interface WorkerSettings {
  /** Jobs run at the same time; default 10. LONGSHORE_CONCURRENCY */
  readonly concurrency: number;
  /** Slots by the load of processor and memory instead of a fixed number (docs/tuning.md); default null. LONGSHORE_TARGET_CPU and others */
  readonly tuner: Partial<TunerSettings> | null;
  /** Strictly one after the other, in order: the next job starts when the outcome of the one before is stored; default false. LONGSHORE_SERIAL */
  readonly serial: boolean;
  /** How long a claim holds without renewal; leases are renewed every third of it; default 30 s. LONGSHORE_LEASE_MS */
  readonly leaseMs: number;
  /** Longest time between two looks at the store when no hint comes; default 1 s. LONGSHORE_POLL_MS */
  readonly pollMs: number;
  /** Jobs held ready beyond those that run, when they run faster than they can be fetched; default 1,000. LONGSHORE_PREFETCH_MAX */
  readonly prefetchMax: number;
  /** Waits a random part of this before the first claim, so that a fleet does not start at once; default 0. LONGSHORE_STARTUP_JITTER_MS */
  readonly startupJitterMs: number;
  /** How long `stop` waits for running jobs; default 10 s. LONGSHORE_GRACE_MS */
  readonly graceMs: number;
  /** How long a handler may take to end after its signal aborted, before its slot is given away; default 5 s. LONGSHORE_ABORT_GRACE_MS */
  readonly abortGraceMs: number;
  /** Leases a job may lose before it becomes a dead letter; default 3. LONGSHORE_CRASHES_MAX */
  readonly crashesMax: number;
  /**
   * A job whose task no worker has becomes a dead letter when it has waited for so long since the first worker met it; 0 =
   * never; default 21 days. LONGSHORE_UNKNOWN_TASK_MS
   */
  readonly unknownTaskMs: number;
  /** Emits `queue.deadLetters` when a queue holds this many failed jobs; 0 = never; default 0. LONGSHORE_DEAD_LETTER_ALERT */
  readonly deadLetterAlert: number;
  /** Queues to work on; default: the queues of the tasks. LONGSHORE_QUEUES, comma-separated */
  readonly queues: readonly string[] | null;
  /** Where tasks run that do not say: `async`, `thread`, `process` or `auto`; default `async`. LONGSHORE_STRATEGY */
  readonly strategy: Strategy;
  /** Most threads and most child processes for handlers; default `null`: as many as the machine runs in parallel. LONGSHORE_THREADS, LONGSHORE_PROCESSES */
  readonly threads: number | null;
  readonly processes: number | null;
  /** Jobs at the same time in one thread or child process; default 1, which is best for handlers that compute. LONGSHORE_JOBS_PER_HOST */
  readonly jobsPerHost: number;
  /** A thread or child process is replaced after so many jobs; 0 = never; default 0. LONGSHORE_RECYCLE_JOBS */
  readonly recycleJobs: number;
  /** One that holds more memory than this after a job is replaced; default `null`: never. LONGSHORE_RECYCLE_BYTES */
  readonly recycleBytes: number | null;
  /** Heap limit of a thread or child process, in bytes; default `null`: Node's own. LONGSHORE_HEAP_BYTES_MAX */
  readonly heapBytesMax: number | null;
  /** A handler that holds the event loop for longer is told of, and with `auto` moves to a thread; default 200 ms. LONGSHORE_BLOCKED_MS */
  readonly blockedMs: number;
  /** Where what handlers print in threads and child processes goes; default `stdout`. */
  readonly printTo: 'stdout' | 'stderr';
}

export const WORKER_SETTINGS_DEFAULT: WorkerSettings = {
  concurrency: 10,
  tuner: null,
  serial: false,
  leaseMs: 30_000,
  pollMs: 1_000,
  prefetchMax: 1_000,
  startupJitterMs: 0,
  graceMs: 10_000,
  abortGraceMs: 5_000,
  crashesMax: 3,
  unknownTaskMs: 21 * 86_400_000,
  deadLetterAlert: 0,
  queues: null,
  strategy: 'async',
  threads: null,
  processes: null,
  jobsPerHost: 1,
  recycleJobs: 0,
  recycleBytes: null,
  heapBytesMax: null,
  blockedMs: 200,
  printTo: 'stdout',
};

/** The names of all settings. */
export const SETTINGS: ReadonlySet<string> = new Set(Object.keys(WORKER_SETTINGS_DEFAULT));

/** Leases shorter than this cannot be renewed in time on a busy machine. */
const LEASE_MIN_MS = 500;

/** Throws OPTION_INVALID naming the setting, and its variable where it came from the environment. */
export function workerSettings(
  code: Partial<WorkerSettings>,
  file: Partial<WorkerSettings> = {},
  env: Environment = {},
): WorkerSettings {
  try {
    return checkedSettings(code, file, env);
  } catch (error) {
    throw namingVariable(error, [code, file], env);
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

function checkedSettings(
  code: Partial<WorkerSettings>,
  file: Partial<WorkerSettings>,
  env: Environment,
): WorkerSettings {
  const found = { ...WORKER_SETTINGS_DEFAULT, ...fromEnvironment(env), ...defined(file), ...defined(code) };
  const merged = { ...found, tuner: tunerOf(code, file, env) };
  requireInteger('concurrency', merged.concurrency, 1, 100_000);
  if (typeof merged.serial !== 'boolean') throw optionInvalid('serial', merged.serial, 'true or false');
  if (requireMs('leaseMs', merged.leaseMs) < LEASE_MIN_MS) {
    throw optionInvalid('leaseMs', merged.leaseMs, `at least ${LEASE_MIN_MS} milliseconds`);
  }
  for (const field of ['pollMs', 'startupJitterMs', 'graceMs', 'abortGraceMs', 'unknownTaskMs'] as const)
    requireMs(field, merged[field]);
  requireInteger('prefetchMax', merged.prefetchMax, 0, 100_000);
  requireInteger('crashesMax', merged.crashesMax, 1);
  requireInteger('deadLetterAlert', merged.deadLetterAlert, 0);
  requireLaneSettings(merged);
  if (merged.queues !== null) requireQueues(merged.queues);
  return merged.serial ? { ...merged, concurrency: 1, tuner: null, prefetchMax: 0 } : merged;
}

const HEAP_BYTES_MIN = 8 * 1_048_576;

function requireLaneSettings(settings: WorkerSettings): void {
  requireStrategy('strategy', settings.strategy);
  requireInteger('jobsPerHost', settings.jobsPerHost, 1);
  requireInteger('recycleJobs', settings.recycleJobs, 0);
  requireInteger('blockedMs', settings.blockedMs, 1);
  for (const field of ['threads', 'processes', 'recycleBytes'] as const)
    if (settings[field] !== null) requireInteger(field, settings[field], 1);
  if (settings.heapBytesMax !== null) requireInteger('heapBytesMax', settings.heapBytesMax, HEAP_BYTES_MIN);
  if (!['stdout', 'stderr'].includes(settings.printTo))
    throw optionInvalid('printTo', settings.printTo, "'stdout' or 'stderr'");
}

function requireQueues(queues: readonly string[]): void {
  if (!Array.isArray(queues) || queues.length === 0)
    throw optionInvalid('queues', queues, 'a list of at least one queue name');
  for (const [index, queue] of queues.entries()) requireQueue(`queues[${index}]`, queue);
}

function defined(settings: Partial<WorkerSettings>): Partial<WorkerSettings> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

const NUMBERS = {
  LONGSHORE_CONCURRENCY: 'concurrency',
  LONGSHORE_PREFETCH_MAX: 'prefetchMax',
  LONGSHORE_CRASHES_MAX: 'crashesMax',
  LONGSHORE_DEAD_LETTER_ALERT: 'deadLetterAlert',
  LONGSHORE_THREADS: 'threads',
  LONGSHORE_PROCESSES: 'processes',
  LONGSHORE_JOBS_PER_HOST: 'jobsPerHost',
  LONGSHORE_RECYCLE_JOBS: 'recycleJobs',
  LONGSHORE_RECYCLE_BYTES: 'recycleBytes',
  LONGSHORE_HEAP_BYTES_MAX: 'heapBytesMax',
} as const;

const DURATIONS = {
  LONGSHORE_LEASE_MS: 'leaseMs',
  LONGSHORE_POLL_MS: 'pollMs',
  LONGSHORE_STARTUP_JITTER_MS: 'startupJitterMs',
  LONGSHORE_GRACE_MS: 'graceMs',
  LONGSHORE_ABORT_GRACE_MS: 'abortGraceMs',
  LONGSHORE_UNKNOWN_TASK_MS: 'unknownTaskMs',
  LONGSHORE_BLOCKED_MS: 'blockedMs',
} as const;

/** Of the settings that the environment can give. */
const VARIABLES: Readonly<Record<string, string>> = {
  ...TUNER_VARIABLES,
  ...Object.fromEntries(Object.entries({ ...NUMBERS, ...DURATIONS }).map(([name, field]) => [field, name])),
  queues: 'LONGSHORE_QUEUES',
};

/** Who set a variable looks for its name. */
function namingVariable(error: unknown, stronger: readonly object[], env: Environment): unknown {
  if (!(error instanceof LongshoreError)) return error;
  const field = String(error.details.field).replace(/\[\d+\]$/, '');
  const variable = VARIABLES[field] ?? '';
  const isGiven = (env[variable] ?? '') !== '';
  if (!isGiven || !error.message.startsWith(field) || stronger.some((source) => has(source, field)))
    return error;
  const message = variable + error.message.slice(field.length);
  return new LongshoreError(error.code, message, { details: { ...error.details, variable } });
}

function has(source: object, path: string): boolean {
  let value: unknown = source;
  for (const name of path.split('.'))
    value = (value as Readonly<Record<string, unknown>> | undefined)?.[name];
  return value !== undefined;
}

function fromEnvironment(env: Environment): Partial<WorkerSettings> {
  const found: Record<string, unknown> = {};
  for (const [variable, field] of Object.entries(NUMBERS)) {
    const text = env[variable];
    if (text === undefined || text === '') continue;
    if (!/^\d+$/.test(text)) throw optionInvalid(variable, text, 'a whole number');
    found[field] = Number(text);
  }
  for (const [variable, field] of Object.entries(DURATIONS)) {
    const text = env[variable];
    if (text !== undefined && text !== '') found[field] = parseDuration(text, variable);
  }
  const serial = env.LONGSHORE_SERIAL;
  if (serial !== undefined && serial !== '') {
    if (!['0', '1', 'true', 'false'].includes(serial))
      throw optionInvalid('LONGSHORE_SERIAL', serial, 'true or false');
    found.serial = serial === '1' || serial === 'true';
  }
  const strategy = env.LONGSHORE_STRATEGY;
  if (strategy !== undefined && strategy !== '')
    found.strategy = requireStrategy('LONGSHORE_STRATEGY', strategy);
  const queues = env.LONGSHORE_QUEUES;
  if (queues !== undefined && queues !== '') found.queues = queues.split(',').map((name) => name.trim());
  return found;
}
