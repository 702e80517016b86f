import { optionInvalid, requireInteger, requireMs } from '../core/errors.ts';
import { nearest, unknownName } from '../core/options.ts';
import type { LoadSettings } from './generate.ts';

/** What a load generator is told: flags win over SCHEDULER_* variables, those over the defaults. */
export interface LoadFlags {
  readonly concurrency?: number | undefined;
  readonly total?: number | undefined;
  readonly infinite?: boolean | undefined;
  readonly rate?: number | undefined;
  readonly reportInterval?: number | undefined;
  readonly maxRunTime?: number | undefined;
  readonly message?: string | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** `SCHEDULER_TASK_QUEUE` and `SCHEDULER_NAMESPACE` are for targets that have such things. */
export const SCHEDULER_NAMES = [
  'SCHEDULER_TASK_QUEUE',
  'SCHEDULER_NAMESPACE',
  'SCHEDULER_CONCURRENCY',
  'SCHEDULER_TOTAL_WORKFLOWS',
  'SCHEDULER_MESSAGE',
  'SCHEDULER_INFINITE_MODE',
  'SCHEDULER_REPORT_INTERVAL',
  'SCHEDULER_MAX_RUNTIME',
] as const;

const SLIPS_MAX = 2;
const CONCURRENCY_DEFAULT = 10;
const TOTAL_DEFAULT = 100;
const REPORT_MS_DEFAULT = 10_000;
export const MESSAGE_DEFAULT = 'Test scheduler';

/** Throws OPTION_INVALID. */
export function loadSettings(
  flags: LoadFlags,
  env: Environment,
): LoadSettings & { readonly message: string } {
  requireKnownNames(env);
  const infinite =
    flags.infinite ?? (flags.total === undefined ? truth(env, 'SCHEDULER_INFINITE_MODE') : false);
  const total = flags.total ?? whole(env, 'SCHEDULER_TOTAL_WORKFLOWS') ?? TOTAL_DEFAULT;
  const rate = flags.rate ?? null;
  if (rate !== null && !(rate > 0 && rate <= 1_000_000))
    throw optionInvalid('--rate', rate, 'more than 0 and at most 1,000,000 in a second');
  const reportMs = flags.reportInterval ?? seconds(env, 'SCHEDULER_REPORT_INTERVAL') ?? REPORT_MS_DEFAULT;
  if (requireMs('--report-interval', reportMs) < 100)
    throw optionInvalid('--report-interval', reportMs, 'at least 100 milliseconds');
  return {
    concurrency: requireInteger(
      '--concurrency',
      flags.concurrency ?? whole(env, 'SCHEDULER_CONCURRENCY') ?? CONCURRENCY_DEFAULT,
      1,
      100_000,
    ),
    total: infinite ? null : requireInteger('--total', total, 1),
    ratePerSecond: rate,
    reportMs,
    maxRunMs: requireMs('--max-run-time', flags.maxRunTime ?? seconds(env, 'SCHEDULER_MAX_RUNTIME') ?? 0),
    message: flags.message ?? given(env, 'SCHEDULER_MESSAGE') ?? MESSAGE_DEFAULT,
  };
}

/** A misspelling would be passed over in silence; other names may be somebody else's. */
function requireKnownNames(env: Environment): void {
  const names: readonly string[] = SCHEDULER_NAMES;
  for (const name of Object.keys(env)) {
    if (!name.startsWith('SCHEDULER_') || names.includes(name)) continue;
    if (nearest(name, names, SLIPS_MAX) !== null)
      throw unknownName('There is no environment variable', name, names);
  }
}

export function given(env: Environment, name: string): string | undefined {
  const text = env[name]?.trim();
  return text === '' ? undefined : text;
}

function whole(env: Environment, name: string): number | undefined {
  const text = given(env, name);
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text) || Number(text) < 1)
    throw optionInvalid(name, text, 'a whole number of at least 1');
  return Number(text);
}

/** In ms. */
function seconds(env: Environment, name: string): number | undefined {
  const text = given(env, name);
  if (text === undefined) return undefined;
  if (!/^\d+(\.\d+)?s?$/.test(text)) throw optionInvalid(name, text, 'a number of seconds');
  return Number.parseFloat(text) * 1_000;
}

function truth(env: Environment, name: string): boolean {
  const text = given(env, name)?.toLowerCase();
  if (text === undefined) return false;
  if (['true', '1', 'yes'].includes(text)) return true;
  if (['false', '0', 'no'].includes(text)) return false;
  throw optionInvalid(name, text, 'true or false');
}
