import { LongshoreError, optionInvalid } from '../../core/errors.ts';
import { unknownName } from '../../core/options.ts';
import type { Auth } from './auth.ts';

/**
 * Settings of the environment: the names of Camunda's own TypeScript SDK, with the same meaning. Options win over it. Names of the SDK
 * that concern its own workings (`CAMUNDA_SDK_*`, …) mean nothing here.
 */
type Environment = Readonly<Record<string, string | undefined>>;

/** Options that a variable can give. */
interface FromEnvironment {
  readonly url?: string;
  readonly auth?: Auth;
  readonly name?: string;
  readonly lockMs?: number;
  readonly pollMs?: number;
  readonly concurrency?: number;
  readonly startupJitterMs?: number;
  readonly tenantIds?: readonly string[];
}

/** By the options that they give. */
export const VARIABLES = {
  url: 'CAMUNDA_REST_ADDRESS',
  lockMs: 'CAMUNDA_WORKER_TIMEOUT',
  concurrency: 'CAMUNDA_WORKER_MAX_CONCURRENT_JOBS',
  pollMs: 'CAMUNDA_WORKER_REQUEST_TIMEOUT',
  name: 'CAMUNDA_WORKER_NAME',
  startupJitterMs: 'CAMUNDA_WORKER_STARTUP_JITTER_MAX_SECONDS',
  tenantIds: 'CAMUNDA_DEFAULT_TENANT_ID',
} as const;

/** Names that begin so are a worker's, and one that is not known is a slip. */
const PREFIX = 'CAMUNDA_WORKER_';

/** Throws OPTION_INVALID, naming the variable. */
export function fromEnvironment(env: Environment): FromEnvironment {
  const known = Object.values(VARIABLES).filter((name) => name.startsWith(PREFIX));
  for (const name of Object.keys(env))
    if (name.startsWith(PREFIX) && !known.includes(name as never))
      throw unknownName('There is no variable', name, known);
  const url = textOf(env, VARIABLES.url) ?? textOf(env, 'ZEEBE_REST_ADDRESS');
  const jitterSeconds = wholeOf(env, VARIABLES.startupJitterMs, 0);
  const tenant = textOf(env, VARIABLES.tenantIds);
  return defined({
    url,
    auth: authOf(env),
    name: textOf(env, VARIABLES.name),
    lockMs: wholeOf(env, VARIABLES.lockMs, 1),
    concurrency: wholeOf(env, VARIABLES.concurrency, 1),
    pollMs: wholeOf(env, VARIABLES.pollMs, Number.NEGATIVE_INFINITY),
    startupJitterMs: jitterSeconds === undefined ? undefined : jitterSeconds * 1_000,
    tenantIds: tenant === undefined ? undefined : [tenant],
  });
}

/** Whoever set a variable looks for its name in the message. `isFrom`: the value of this option came from its variable. */
export function namingVariable(error: unknown, isFrom: (option: keyof typeof VARIABLES) => boolean): unknown {
  if (!(error instanceof LongshoreError)) return error;
  const field = String(error.details.field).replace(/\[\d+\]$/, '') as keyof typeof VARIABLES;
  const variable = VARIABLES[field];
  if (variable === undefined || !error.message.startsWith(field) || !isFrom(field)) return error;
  const message = variable + error.message.slice(field.length);
  return new LongshoreError(error.code, message, { details: { ...error.details, variable } });
}

const STRATEGIES = ['NONE', 'OAUTH', 'BASIC'];

function authOf(env: Environment): Auth | undefined {
  const clientId = textOf(env, 'CAMUNDA_CLIENT_ID');
  const clientSecret = textOf(env, 'CAMUNDA_CLIENT_SECRET');
  const tokenUrl = textOf(env, 'CAMUNDA_OAUTH_URL');
  const given = textOf(env, 'CAMUNDA_AUTH_STRATEGY')?.toUpperCase();
  const isOAuth = clientId !== undefined && clientSecret !== undefined && tokenUrl !== undefined;
  const strategy = given ?? (isOAuth ? 'OAUTH' : 'NONE');
  if (!STRATEGIES.includes(strategy))
    throw optionInvalid('CAMUNDA_AUTH_STRATEGY', given, 'NONE, OAUTH or BASIC');
  if (strategy === 'NONE') return undefined;
  if (strategy === 'BASIC')
    return {
      username: required(env, 'CAMUNDA_BASIC_AUTH_USERNAME', strategy),
      password: required(env, 'CAMUNDA_BASIC_AUTH_PASSWORD', strategy),
    };
  return defined({
    clientId: required(env, 'CAMUNDA_CLIENT_ID', strategy),
    clientSecret: required(env, 'CAMUNDA_CLIENT_SECRET', strategy),
    tokenUrl,
    audience: textOf(env, 'CAMUNDA_TOKEN_AUDIENCE'),
    scope: textOf(env, 'CAMUNDA_OAUTH_SCOPE'),
  }) as Auth;
}

function required(env: Environment, name: string, strategy: string): string {
  const text = textOf(env, name);
  if (text === undefined)
    throw optionInvalid(name, undefined, `a value, since CAMUNDA_AUTH_STRATEGY is ${strategy}`);
  return text;
}

/** Undefined for a variable that is empty. */
function textOf(env: Environment, name: string): string | undefined {
  const text = env[name]?.trim();
  return text === '' ? undefined : text;
}

function wholeOf(env: Environment, name: string, min: number): number | undefined {
  const text = textOf(env, name);
  if (text === undefined) return undefined;
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(Number(text)) && Number(text) >= min) return Number(text);
  const range = min === Number.NEGATIVE_INFINITY ? '' : ` of at least ${min}`;
  throw optionInvalid(name, text, `a whole number${range}`);
}

function defined<Value extends object>(
  value: Value,
): { [Key in keyof Value]?: Exclude<Value[Key], undefined> } {
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof Value]?: Exclude<Value[Key], undefined> };
}
