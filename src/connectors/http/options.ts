import { optionInvalid, requireInteger, requireMs, requireName } from '../../core/errors.ts';
import { isPlainObject, type KnownNames, knownNames, requireOptions } from '../../core/options.ts';
import { type AnyTask, hasHandler, isTask } from '../../core/task.ts';
import type { TlsFiles } from '../../engine/keeper.ts';
import type { RunnerOptions } from '../../engine/runner.ts';

/** Checks of options that workers of several engines have. Each throws OPTION_INVALID. */

/** The names of options that are the runner's. */
export const RUNNER_OPTIONS = {
  concurrency: true,
  tuner: true,
  graceMs: true,
  abortGraceMs: true,
  strategy: true,
  threads: true,
  processes: true,
  jobsPerHost: true,
  recycleJobs: true,
  recycleBytes: true,
  heapBytesMax: true,
  blockedMs: true,
  printTo: true,
  payloadBytesMax: true,
  logger: true,
  tracing: true,
  sensor: true,
} as const;

export function runnerOptions(options: object): Omit<RunnerOptions, 'engine' | 'tasks'> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => name in RUNNER_OPTIONS));
}

/** What an engine's queue gives out: the task that runs it, with settings. `Given`: what the engine gives out. */
export interface Served<Given> {
  readonly task: AnyTask;
  /** Default: the worker's. */
  readonly lockMs?: number;
  /** Names of the variables that are fetched; default: all that there are. */
  readonly variables?: readonly string[];
  /** The input of the task; default: the variables by their names. Runs in this thread, so keep it short. */
  readonly input?: (given: Given) => unknown;
  /** Name of a variable for the result as a whole; default: each member of an object is a variable, any other value becomes `result`. */
  readonly into?: string;
}

interface ServedWords<Settings> {
  /** `job type`, and what it gives out: `job`. */
  readonly noun: string;
  readonly gives: string;
  readonly example: string;
  readonly known: KnownNames;
  /** The engine's own settings. */
  readonly check?: (field: string, settings: Settings) => void;
}

/** Tasks by the names of queues, each with a lock of its own or `lockMs`. */
export function requireServed<Settings extends Served<never>>(
  field: string,
  given: unknown,
  lockMs: number,
  words: ServedWords<Settings>,
): ReadonlyMap<string, Settings & { readonly lockMs: number }> {
  const { noun, example } = words;
  if (!isPlainObject(given) || Object.keys(given).length === 0)
    throw optionInvalid(field, given, `at least one task by the name of its ${noun}: ${example}`);
  return new Map(
    Object.entries(given).map(([name, value]) => {
      requireName(`the name of a ${noun}`, name, 255);
      const settings = isTask(value)
        ? ({ task: value } as unknown as Settings)
        : requireSettings(`${field}.${name}`, value, words);
      if (!hasHandler(settings.task))
        throw optionInvalid(
          `${field}.${name}`,
          `the declaration of task '${(settings.task as AnyTask).name}'`,
          'a task with a handler, made by defineTask or implementTask',
        );
      return [name, { ...settings, lockMs: settings.lockMs ?? lockMs }];
    }),
  );
}

function requireSettings<Settings extends Served<never>>(
  field: string,
  value: unknown,
  { noun, gives, known, check }: ServedWords<Settings>,
): Settings {
  if (!isPlainObject(value))
    throw optionInvalid(
      field,
      value,
      `what defineTask() returns, or { task: … } with settings of the ${noun}`,
    );
  requireOptions(field, value, known);
  const settings = value as unknown as Settings;
  const { task, lockMs, variables, input, into } = settings;
  if (!isTask(task)) throw optionInvalid(`${field}.task`, task, 'what defineTask() returns');
  if (lockMs !== undefined) requireLock(`${field}.lockMs`, lockMs);
  if (variables !== undefined) requireNames(`${field}.variables`, variables);
  if (input !== undefined && typeof input !== 'function')
    throw optionInvalid(`${field}.input`, input, `a function (${gives}) => input`);
  if (into !== undefined) requireName(`${field}.into`, into);
  check?.(field, settings);
  return settings;
}

/** A lock shorter than this cannot be extended in time on a busy machine. */
const LOCK_MIN_MS = 500;

export function requireLock(field: string, lockMs: unknown): number {
  if (requireMs(field, lockMs) < LOCK_MIN_MS)
    throw optionInvalid(field, lockMs, `at least ${LOCK_MIN_MS} milliseconds`);
  return requireInteger(field, lockMs, LOCK_MIN_MS);
}

export function requireNames(field: string, names: unknown): readonly string[] {
  if (!Array.isArray(names)) throw optionInvalid(field, names, 'a list of names');
  return names.map((name, index) => requireName(`${field}[${index}]`, name, 255));
}

interface AddressWords {
  /** What it is the address of, with an example. */
  readonly expected: string;
  /** The variables that take a user name and password. */
  readonly credentials: string;
}

/** Without a slash at its end. */
export function requireAddress(given: unknown, { expected, credentials }: AddressWords): string {
  if (given === undefined) throw optionInvalid('url', given, expected);
  const url = URL.canParse(String(given)) ? new URL(String(given)) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw optionInvalid('url', given, expected);
  if (url.username !== '' || url.password !== '')
    throw optionInvalid(
      'url',
      `${url.origin}${url.pathname}`,
      `an address without a user name and password; give them as \`auth\`, or as ${credentials}`,
    );
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

export function requireHeaders(headers: unknown): Readonly<Record<string, string>> {
  if (!isPlainObject(headers)) throw optionInvalid('headers', headers, 'texts by the names of headers');
  return headers as Readonly<Record<string, string>>;
}

const TLS = knownNames<TlsFiles>({ ca: true, cert: true, key: true, passphrase: true });

/** Null for none. Secrets are never shown. */
export function requireTls(tls: unknown): TlsFiles | null {
  if (tls === undefined) return null;
  requireOptions('tls', tls, TLS);
  const given = tls as TlsFiles;
  for (const name of ['ca', 'cert', 'key'] as const)
    if (given[name] !== undefined && !/-----BEGIN [^-]+-----/.test(String(given[name])))
      throw optionInvalid(`tls.${name}`, '(not shown)', 'the text of a PEM file');
  if ((given.cert === undefined) !== (given.key === undefined))
    throw optionInvalid('tls', Object.keys(given).join(', '), 'both: `cert` and its `key`');
  return given;
}
