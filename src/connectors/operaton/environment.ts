import { parseDuration } from '../../core/duration.ts';
import { optionInvalid } from '../../core/errors.ts';
import { nearest, unknownName } from '../../core/options.ts';
import type { OperatonOptions } from './options.ts';

/** OPERATON_* variables: weaker than what the program gives. */
type Environment = Readonly<Record<string, string | undefined>>;

const DURATIONS = {
  OPERATON_WORKER_LOCK_MS: 'lockMs',
  OPERATON_WORKER_POLL_MS: 'pollMs',
  OPERATON_WORKER_REQUEST_TIMEOUT_MS: 'requestTimeoutMs',
} as const;

const SLIPS_MAX = 2;

/** What the worker reads; those of the command line program are `OPERATON_WORKER_TOPICS` besides. */
export const VARIABLES = [
  'OPERATON_URL',
  'OPERATON_USERNAME',
  'OPERATON_PASSWORD',
  'OPERATON_TOKEN',
  'OPERATON_WORKER_NAME',
  ...Object.keys(DURATIONS),
  'OPERATON_WORKER_REPORTS_MAX',
  'OPERATON_WORKER_TENANT_IDS',
  'OPERATON_WORKER_TOPICS',
] as const;

/** The options with what the environment adds. Throws OPTION_INVALID, also for a misspelt OPERATON_WORKER_ variable. */
export function withEnvironment(options: OperatonOptions, env: Environment): OperatonOptions {
  // Others may be somebody else's: Kubernetes sets OPERATON_WORKER_SERVICE_HOST where a service has that name.
  for (const name of Object.keys(env).filter((one) => one.startsWith('OPERATON_WORKER_')))
    if (!(VARIABLES as readonly string[]).includes(name) && nearest(name, VARIABLES, SLIPS_MAX) !== null)
      throw unknownName('There is no environment variable', name, VARIABLES);
  const found: Record<string, unknown> = {};
  const given = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  for (const [name, field] of Object.entries(DURATIONS)) {
    const text = given(name);
    if (text !== undefined) found[field] = parseDuration(text, name);
  }
  const reports = given('OPERATON_WORKER_REPORTS_MAX');
  if (reports !== undefined) found.reportsMax = wholeNumber('OPERATON_WORKER_REPORTS_MAX', reports);
  const tenants = given('OPERATON_WORKER_TENANT_IDS');
  if (tenants !== undefined) found.tenantIds = tenants.split(',').map((id) => id.trim());
  const texts = { url: given('OPERATON_URL'), name: given('OPERATON_WORKER_NAME'), auth: authOf(given) };
  const defined = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...withoutUndefined(texts), ...found, ...Object.fromEntries(defined) } as OperatonOptions;
}

function authOf(given: (name: string) => string | undefined): OperatonOptions['auth'] {
  const [username, password] = [given('OPERATON_USERNAME'), given('OPERATON_PASSWORD')];
  const token = given('OPERATON_TOKEN');
  if (username !== undefined && token !== undefined)
    throw optionInvalid(
      'OPERATON_TOKEN',
      'given',
      'a token, or OPERATON_USERNAME and OPERATON_PASSWORD, and not both',
    );
  if (token !== undefined) return { token };
  if (username === undefined) return undefined;
  if (password === undefined)
    throw optionInvalid('OPERATON_PASSWORD', undefined, 'the password of OPERATON_USERNAME');
  return { username, password };
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw optionInvalid(name, text, 'a whole number');
  return Number(text);
}

function withoutUndefined(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
