import { LongshoreError, show } from '../../core/errors.ts';
import { withoutPassword } from '../../core/redact.ts';

/** What a URL such as `redis://user:pass@host:6379/0?prefix=longshore` says. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly user: string | null;
  readonly password: string | null;
  /** Number of the database. */
  readonly database: number;
  /** All keys of the store start with it, in braces: one store is one hash slot. */
  readonly prefix: string;
  /** True when the URL says that the server is a node of a cluster; otherwise the server is asked. */
  readonly cluster: boolean;
  /** A reply that takes longer counts as lost. */
  readonly timeoutMs: number;
}

const EXPECTED = 'expected redis://[user:password@]host[:port][/database][?prefix=longshore]';
const SCHEMES: Readonly<Record<string, { readonly tls: boolean }>> = {
  'redis:': { tls: false },
  'rediss:': { tls: true },
  'valkey:': { tls: false },
  'valkeys:': { tls: true },
};
const OPTIONS: readonly string[] = ['prefix', 'cluster', 'timeoutMs'];
const PORT_DEFAULT = 6379;
const PREFIX_DEFAULT = 'longshore';
const PREFIX_CHARS_MAX = 100;
const TIMEOUT_DEFAULT_MS = 30_000;
const TIMEOUT_MIN_MS = 100;
const TIMEOUT_MAX_MS = 3_600_000;

/** Throws STORE_URL_INVALID, with a message that never shows a password. */
export function parseUrl(url: string): RedisAddress {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  const scheme = parsed === null ? undefined : SCHEMES[parsed.protocol];
  if (parsed === null || scheme === undefined)
    throw invalid(
      url,
      `it cannot be read as a URL; write special characters of a password as %40 for @, %23 for #; ${EXPECTED}`,
    );
  if (parsed.hostname === '') throw invalid(url, `it names no host; ${EXPECTED}`);
  if (parsed.hash !== '')
    throw invalid(url, '# is not allowed; write %23 where it belongs to a name or password');
  if (`${parsed.pathname}${[...parsed.searchParams.keys()].join()}`.includes('@'))
    throw invalid(url, 'its user name or password has a / or ?; write %2F for / and %3F for ?', true);
  const options = optionsOf(url, parsed.searchParams);
  const database = databaseOf(url, parsed.pathname);
  const cluster = clusterOf(url, options.get('cluster'));
  if (cluster && database !== 0)
    throw invalid(url, `a cluster has one database, which is 0, and not ${database}`);
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? PORT_DEFAULT : Number(parsed.port),
    tls: scheme.tls,
    user: decoded(url, parsed.username),
    password: decoded(url, parsed.password),
    database,
    prefix: prefixOf(url, options.get('prefix')),
    cluster,
    timeoutMs: timeoutOf(url, options.get('timeoutMs')),
  };
}

/** Host, port and database, as messages name them. */
export function placeOf({ host, port, database }: RedisAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}${database === 0 ? '' : `/${database}`}`;
}

function optionsOf(url: string, given: URLSearchParams): Map<string, string> {
  const options = new Map<string, string>();
  for (const [name, value] of given) {
    // A value may be a password that somebody put there.
    if (!OPTIONS.includes(name))
      throw invalid(url, `there is no option ${show(name)}, only ${OPTIONS.join(', ')}`, true);
    if (options.has(name)) throw invalid(url, `option ${name} stands there twice`);
    options.set(name, value);
  }
  return options;
}

function databaseOf(url: string, path: string): number {
  if (path === '' || path === '/') return 0;
  if (!/^\/\d{1,5}$/.test(path))
    throw invalid(url, `${show(path)} is no database; expected a number such as /0`);
  return Number(path.slice(1));
}

function clusterOf(url: string, value = 'false'): boolean {
  if (value !== 'true' && value !== 'false')
    throw invalid(url, `option cluster is ${show(value)}; expected true or false`);
  return value === 'true';
}

function prefixOf(url: string, value = PREFIX_DEFAULT): string {
  if (value.length > 0 && value.length <= PREFIX_CHARS_MAX && !/[{}\p{Cc}]/u.test(value)) return value;
  throw invalid(
    url,
    `option prefix is ${show(value)}; expected 1 to ${PREFIX_CHARS_MAX} characters, no braces and no control characters`,
  );
}

function timeoutOf(url: string, value = String(TIMEOUT_DEFAULT_MS)): number {
  const timeoutMs = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (timeoutMs >= TIMEOUT_MIN_MS && timeoutMs <= TIMEOUT_MAX_MS) return timeoutMs;
  throw invalid(
    url,
    `option timeoutMs is ${show(value)}; expected a whole number of milliseconds from ${TIMEOUT_MIN_MS} to ${TIMEOUT_MAX_MS}`,
  );
}

function decoded(url: string, text: string): string | null {
  if (text === '') return null;
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(url, 'its user name or password has a % that stands for nothing; write %25 for a %');
  }
}

function invalid(url: string, problem: string, hideOptions = false): LongshoreError {
  const whole = withoutPassword(String(url));
  const shown = hideOptions ? whole.replace(/\?.*$/s, '?***') : whole;
  return new LongshoreError('STORE_URL_INVALID', `The store URL is ${show(shown)}; ${problem}.`, {
    details: { url: shown },
  });
}
