import { parseDuration } from '../../core/duration.ts';
import { LongshoreError, optionInvalid, show } from '../../core/errors.ts';
import { nearest } from '../../core/options.ts';
import { count, type Environment, type Read, text } from '../environment.ts';

/** Settings of `longshore temporal` from the environment, by the names that workers of Temporal with a resource tuner use. */

const truth: Read<boolean> = (given, name) => {
  const word = given.toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(word)) return true;
  if (['false', '0', 'no', 'off'].includes(word)) return false;
  throw optionInvalid(name, given, 'true or false');
};

const number = (given: string, name: string, expected: string): number => {
  if (/^\d*\.?\d+$/.test(given)) return Number(given);
  throw optionInvalid(name, given, expected);
};

/** 90 is refused with a hint: 0.9 is meant. */
const target: Read<number> = (given, name) => {
  const value = number(given, name, 'a share such as 0.9');
  if (value > 0 && value <= 1) return value;
  const hint = value > 1 && value <= 100 ? ` (${value / 100}, not ${given})` : '';
  throw optionInvalid(name, given, `a share above 0 and up to 1${hint}`);
};

const ratio: Read<number> = (given, name) => {
  const value = number(given, name, 'a share from 0 to 1');
  if (value <= 1) return value;
  throw optionInvalid(name, given, 'a share from 0 to 1');
};

/** In ms. A bare number is seconds here, as the reference has it. */
const seconds: Read<number> = (given, name) =>
  /^\d+(\.\d+)?$/.test(given) ? Number(given) * 1_000 : parseDuration(given, name);

const SLOTS = count(1, 100_000);
const POLLS = count(1, 10_000);

/** Each variable, and what reads it. Defaults are those of the options. */
export const CONNECTION_VARIABLES = {
  DEFAULT_TEMPORAL_URL: text,
  DEFAULT_TEMPORAL_NAMESPACE: text,
  DEFAULT_TEMPORAL_API_KEY: text,
  DEFAULT_TEMPORAL_TLS: truth,
  DEFAULT_TEMPORAL_TLS_CA: text,
  DEFAULT_TEMPORAL_TLS_CERT: text,
  DEFAULT_TEMPORAL_TLS_KEY: text,
  DEFAULT_TEMPORAL_TLS_SERVER_NAME: text,
} as const;

export const WORKER_VARIABLES = {
  TEMPORAL_WORKER_NAMESPACE: text,
  TEMPORAL_WORKER_TASK_QUEUE: text,
  TEMPORAL_WORKER_TARGET_CPU: target,
  TEMPORAL_WORKER_TARGET_RAM: target,
  TEMPORAL_WORKER_WORKFLOWS_MIN_SLOTS: SLOTS,
  TEMPORAL_WORKER_WORKFLOWS_MAX_SLOTS: SLOTS,
  TEMPORAL_WORKER_ACTIVITIES_MIN_SLOTS: SLOTS,
  TEMPORAL_WORKER_ACTIVITIES_MAX_SLOTS: SLOTS,
  TEMPORAL_WORKER_LOCAL_ACTIVITIES_MIN_SLOTS: SLOTS,
  TEMPORAL_WORKER_LOCAL_ACTIVITIES_MAX_SLOTS: SLOTS,
  TEMPORAL_WORKER_MAX_CONCURRENT_WORKFLOW_TASK_POLLS: POLLS,
  TEMPORAL_WORKER_MAX_CONCURRENT_ACTIVITY_TASK_POLLS: POLLS,
  TEMPORAL_WORKER_NONSTICKY_TO_STICKY_POLL_RATIO: ratio,
} as const;

export const SCHEDULER_VARIABLES = {
  SCHEDULER_TASK_QUEUE: text,
  SCHEDULER_NAMESPACE: text,
  SCHEDULER_CONCURRENCY: count(1, 100_000),
  SCHEDULER_TOTAL_WORKFLOWS: count(1, 1_000_000_000),
  SCHEDULER_MESSAGE: text,
  SCHEDULER_INFINITE_MODE: truth,
  SCHEDULER_REPORT_INTERVAL: seconds,
  SCHEDULER_MAX_RUNTIME: seconds,
} as const;

export const PREFIXES = ['TEMPORAL_WORKER_', 'DEFAULT_TEMPORAL_', 'SCHEDULER_'] as const;

const KNOWN: readonly string[] = [
  ...Object.keys(CONNECTION_VARIABLES),
  ...Object.keys(WORKER_VARIABLES),
  ...Object.keys(SCHEDULER_VARIABLES),
];

/**
 * Names with these prefixes that nothing reads. Throws OPTION_INVALID where one is a misspelling; returns a warning for each other
 * one, which may be somebody else's: Kubernetes sets `TEMPORAL_WORKER_SERVICE_HOST` where a service has that name.
 */
export function unreadNames(env: Environment, prefixes: readonly string[] = PREFIXES): string[] {
  const unread = Object.keys(env)
    .filter((name) => prefixes.some((prefix) => name.startsWith(prefix)) && !KNOWN.includes(name))
    .sort();
  for (const name of unread) {
    const meant = nearest(name, KNOWN, SLIPS_MAX);
    if (meant !== null)
      throw new LongshoreError(
        'OPTION_INVALID',
        `There is no variable ${show(name)}; did you mean ${meant}? Unset it, or correct its name.`,
        { details: { field: name, meant } },
      );
  }
  return unread.map((name) => `variable ${name} is not read here; known are ${familyOf(name).join(', ')}.`);
}

/** Names are long: a few letters more or fewer are still the same one. */
const SLIPS_MAX = 4;

function familyOf(name: string): string[] {
  const prefix = PREFIXES.find((each) => name.startsWith(each)) as string;
  return KNOWN.filter((each) => each.startsWith(prefix));
}
