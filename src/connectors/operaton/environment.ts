import { optionInvalid } from '../../core/errors.ts';
import { nearest, unknownName } from '../../core/options.ts';
import { count, defined, duration, type Environment, fromEnvironment, list, text } from '../environment.ts';
import type { OperatonOptions } from './options.ts';

/** OPERATON_* variables: weaker than what the program gives. */
const READ = {
  OPERATON_URL: text,
  OPERATON_USERNAME: text,
  OPERATON_PASSWORD: text,
  OPERATON_TOKEN: text,
  OPERATON_WORKER_NAME: text,
  OPERATON_WORKER_LOCK_MS: duration,
  OPERATON_WORKER_POLL_MS: duration,
  OPERATON_WORKER_REQUEST_TIMEOUT_MS: duration,
  OPERATON_WORKER_REPORTS_MAX: count(0),
  OPERATON_WORKER_TENANT_IDS: list,
  // The command line program reads it.
  OPERATON_WORKER_TOPICS: text,
} as const;

export const VARIABLES: readonly string[] = Object.keys(READ);

const SLIPS_MAX = 2;

/** The options with what the environment adds. Throws OPTION_INVALID, also for a misspelt OPERATON_WORKER_ variable. */
export function withEnvironment(options: OperatonOptions, env: Environment): OperatonOptions {
  // Others may be somebody else's: Kubernetes sets OPERATON_WORKER_SERVICE_HOST where a service has that name.
  for (const name of Object.keys(env).filter((one) => one.startsWith('OPERATON_WORKER_')))
    if (!VARIABLES.includes(name) && nearest(name, VARIABLES, SLIPS_MAX) !== null)
      throw unknownName('There is no environment variable', name, VARIABLES);
  const found = fromEnvironment(READ, env);
  const weaker = defined({
    url: found.OPERATON_URL,
    auth: authOf(found),
    name: found.OPERATON_WORKER_NAME,
    lockMs: found.OPERATON_WORKER_LOCK_MS,
    pollMs: found.OPERATON_WORKER_POLL_MS,
    requestTimeoutMs: found.OPERATON_WORKER_REQUEST_TIMEOUT_MS,
    reportsMax: found.OPERATON_WORKER_REPORTS_MAX,
    tenantIds: found.OPERATON_WORKER_TENANT_IDS,
  });
  return { ...weaker, ...defined(options) } as OperatonOptions;
}

function authOf({
  OPERATON_USERNAME: username,
  OPERATON_PASSWORD: password,
  OPERATON_TOKEN: token,
}: ReturnType<typeof fromEnvironment<typeof READ>>): OperatonOptions['auth'] {
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
