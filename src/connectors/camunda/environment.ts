import { readFileSync } from 'node:fs';
import { LongshoreError, optionInvalid } from '../../core/errors.ts';
import { reasonOf } from '../../core/legible.ts';
import { unknownName } from '../../core/options.ts';
import type { TlsFiles } from '../../engine/keeper.ts';
import { count, type Defined, defined, type Environment, fromEnvironment, text } from '../environment.ts';
import type { Auth } from './auth.ts';

/**
 * Settings of the environment: the names of Camunda's own TypeScript SDK, with the same meaning. Options win over it. Names of the SDK
 * that concern its own workings (`CAMUNDA_SDK_*`, …) mean nothing here.
 */
const VARIABLES = {
  CAMUNDA_REST_ADDRESS: text,
  ZEEBE_REST_ADDRESS: text,
  CAMUNDA_WORKER_TIMEOUT: count(1),
  CAMUNDA_WORKER_MAX_CONCURRENT_JOBS: count(1),
  CAMUNDA_WORKER_REQUEST_TIMEOUT: count(Number.MIN_SAFE_INTEGER),
  CAMUNDA_WORKER_NAME: text,
  CAMUNDA_WORKER_STARTUP_JITTER_MAX_SECONDS: count(0),
  CAMUNDA_DEFAULT_TENANT_ID: text,
  CAMUNDA_AUTH_STRATEGY: text,
  CAMUNDA_CLIENT_ID: text,
  CAMUNDA_CLIENT_SECRET: text,
  CAMUNDA_OAUTH_URL: text,
  CAMUNDA_TOKEN_AUDIENCE: text,
  CAMUNDA_OAUTH_SCOPE: text,
  CAMUNDA_BASIC_AUTH_USERNAME: text,
  CAMUNDA_BASIC_AUTH_PASSWORD: text,
  CAMUNDA_MTLS_CA: text,
  CAMUNDA_MTLS_CA_PATH: text,
  CAMUNDA_MTLS_CERT: text,
  CAMUNDA_MTLS_CERT_PATH: text,
  CAMUNDA_MTLS_KEY: text,
  CAMUNDA_MTLS_KEY_PATH: text,
  CAMUNDA_MTLS_KEY_PASSPHRASE: text,
} as const;

type Found = ReturnType<typeof fromEnvironment<typeof VARIABLES>>;

/** Where an option comes from. */
const OPTIONS = {
  url: 'CAMUNDA_REST_ADDRESS',
  lockMs: 'CAMUNDA_WORKER_TIMEOUT',
  concurrency: 'CAMUNDA_WORKER_MAX_CONCURRENT_JOBS',
  pollMs: 'CAMUNDA_WORKER_REQUEST_TIMEOUT',
  name: 'CAMUNDA_WORKER_NAME',
  startupJitterMs: 'CAMUNDA_WORKER_STARTUP_JITTER_MAX_SECONDS',
  tenantIds: 'CAMUNDA_DEFAULT_TENANT_ID',
  tls: 'CAMUNDA_MTLS_*',
} as const;

/** Options that variables can give. */
type FromEnvironment = Defined<{
  url: string | undefined;
  auth: Auth | undefined;
  tls: TlsFiles | undefined;
  name: string | undefined;
  lockMs: number | undefined;
  pollMs: number | undefined;
  concurrency: number | undefined;
  startupJitterMs: number | undefined;
  tenantIds: readonly string[] | undefined;
}>;

/** Names that begin so are a worker's, and one that is not known is a slip. */
const PREFIX = 'CAMUNDA_WORKER_';

/** Throws OPTION_INVALID, naming the variable. */
export function optionsFrom(env: Environment): FromEnvironment {
  const known = Object.keys(VARIABLES).filter((name) => name.startsWith(PREFIX));
  for (const name of Object.keys(env))
    if (name.startsWith(PREFIX) && !known.includes(name))
      throw unknownName('There is no variable', name, known);
  const found = fromEnvironment(VARIABLES, env);
  const jitterSeconds = found.CAMUNDA_WORKER_STARTUP_JITTER_MAX_SECONDS;
  const tenant = found.CAMUNDA_DEFAULT_TENANT_ID;
  return defined({
    url: found.CAMUNDA_REST_ADDRESS ?? found.ZEEBE_REST_ADDRESS,
    auth: authOf(found),
    tls: tlsOf(found),
    name: found.CAMUNDA_WORKER_NAME,
    lockMs: found.CAMUNDA_WORKER_TIMEOUT,
    concurrency: found.CAMUNDA_WORKER_MAX_CONCURRENT_JOBS,
    pollMs: found.CAMUNDA_WORKER_REQUEST_TIMEOUT,
    startupJitterMs: jitterSeconds === undefined ? undefined : jitterSeconds * 1_000,
    tenantIds: tenant === undefined ? undefined : [tenant],
  });
}

/** Whoever set a variable looks for its name in the message. `isFrom`: the value of this option came from its variable. */
export function namingVariable(error: unknown, isFrom: (option: keyof typeof OPTIONS) => boolean): unknown {
  if (!(error instanceof LongshoreError)) return error;
  const field = String(error.details.field).replace(/\[\d+\]$|^(tls)\..*/, '$1') as keyof typeof OPTIONS;
  const variable = OPTIONS[field];
  if (variable === undefined || !error.message.startsWith(field) || !isFrom(field)) return error;
  const message = variable + error.message.slice(field.length);
  return new LongshoreError(error.code, message, { details: { ...error.details, variable } });
}

const STRATEGIES = ['NONE', 'OAUTH', 'BASIC'];

function authOf(found: Found): Auth | undefined {
  const { CAMUNDA_CLIENT_ID, CAMUNDA_CLIENT_SECRET, CAMUNDA_OAUTH_URL: tokenUrl } = found;
  const given = found.CAMUNDA_AUTH_STRATEGY?.toUpperCase();
  const isOAuth = ![CAMUNDA_CLIENT_ID, CAMUNDA_CLIENT_SECRET, tokenUrl].includes(undefined);
  const strategy = given ?? (isOAuth ? 'OAUTH' : 'NONE');
  if (!STRATEGIES.includes(strategy))
    throw optionInvalid('CAMUNDA_AUTH_STRATEGY', given, 'NONE, OAUTH or BASIC');
  const required = (name: keyof Found & `CAMUNDA_${string}`): string => {
    const value = found[name];
    if (typeof value === 'string') return value;
    throw optionInvalid(name, undefined, `a value, since CAMUNDA_AUTH_STRATEGY is ${strategy}`);
  };
  if (strategy === 'NONE') return undefined;
  if (strategy === 'BASIC')
    return {
      username: required('CAMUNDA_BASIC_AUTH_USERNAME'),
      password: required('CAMUNDA_BASIC_AUTH_PASSWORD'),
    };
  return {
    clientId: required('CAMUNDA_CLIENT_ID'),
    clientSecret: required('CAMUNDA_CLIENT_SECRET'),
    ...defined({ tokenUrl, audience: found.CAMUNDA_TOKEN_AUDIENCE, scope: found.CAMUNDA_OAUTH_SCOPE }),
  };
}

/** What stands in a variable wins over a file that another one names. Undefined: Node's own authorities, and no certificate. */
function tlsOf(found: Found): TlsFiles | undefined {
  const pem = (name: 'CAMUNDA_MTLS_CA' | 'CAMUNDA_MTLS_CERT' | 'CAMUNDA_MTLS_KEY'): string | undefined => {
    const file = `${name}_PATH` as const;
    return found[name] ?? contentOf(file, found[file]);
  };
  const tls = defined({
    ca: pem('CAMUNDA_MTLS_CA'),
    cert: pem('CAMUNDA_MTLS_CERT'),
    key: pem('CAMUNDA_MTLS_KEY'),
    passphrase: found.CAMUNDA_MTLS_KEY_PASSPHRASE,
  });
  return Object.keys(tls).length === 0 ? undefined : tls;
}

function contentOf(name: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw optionInvalid(name, path, `a file that can be read (${reasonOf(error)})`);
  }
}
