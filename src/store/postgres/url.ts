import { userInfo } from 'node:os';
import { LongshoreError, show } from '../../core/errors.ts';
import { withoutPassword } from '../../core/redact.ts';

const EXPECTED =
  'expected postgres://user:password@host:5432/database, followed by options such as ?schema=longshore&max=4';

/** What a URL says, with defaults. Our own options are taken out of what the driver sees. */
export interface Place {
  /** For the driver; it may hold the password, so it stands in no message. */
  readonly connectionString: string;
  readonly schema: string;
  /** Connections of the pool. */
  readonly max: number;
  /** Behind PgBouncer in transaction mode; null = to be found out. */
  readonly pgbouncer: boolean | null;
  /** How long one statement may take before its connection is given up. */
  readonly timeoutMs: number;
  /** `?migrate=auto`: connecting brings the schema up to date. */
  readonly migrates: boolean;
  // As the driver finds them, for messages.
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

const MAX_DEFAULT = 4;
const TIMEOUT_DEFAULT_MS = 30_000;

/** Throws STORE_URL_INVALID. What the URL leaves out comes from the PG* variables, as the driver does it. */
export function placeOf(url: string, env: NodeJS.ProcessEnv = process.env): Place {
  if (!/^postgres(ql)?:($|[?]|\/\/)/.test(url)) throw invalid(url, EXPECTED);
  const question = url.indexOf('?');
  // As the driver reads a user without a host: `postgres://ada@/jobs`.
  const base = (question === -1 ? url : url.slice(0, question)).replace(/@$/, '@/');
  const { hostname, port, pathname, username } = parsed(url, base);
  const given = new URLSearchParams(question === -1 ? '' : url.slice(question + 1));
  const own = takeOwn(url, given);
  const host = given.get('host') || hostname || env.PGHOST || 'localhost';
  if (host.includes(','))
    throw invalid(url, 'it names several hosts; give one, or a name that always leads to the primary');
  const user = given.get('user') || username || env.PGUSER || userName();
  const rest = given.toString();
  return {
    ...own,
    connectionString: rest === '' ? base : `${base}?${rest}`,
    host,
    port: Number(given.get('port') || port || env.PGPORT || 5432),
    user,
    database: pathname || env.PGDATABASE || user,
  };
}

/** A schema's or a role's name as it stands in statements. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A URL with a user must have a host. */
const NO_HOST = 'no-host.invalid';

type Parts = Record<'hostname' | 'port' | 'pathname' | 'username', string>;

function parsed(url: string, base: string): Parts {
  try {
    const { hostname, port, pathname, username, hash } = new URL(base.replace('@/', `@${NO_HOST}/`));
    if (hash !== '' || pathname.includes('@')) throw new Error('a password that ends the host');
    return {
      hostname: decodeURIComponent(hostname === NO_HOST ? '' : hostname).replace(/^\[(.*)\]$/, '$1'),
      port,
      pathname: decodeURIComponent(pathname.replace(/^\//, '')),
      username: decodeURIComponent(username),
    };
  } catch {
    throw invalid(
      url,
      `it cannot be read as a URL; write special characters of a password as %40 for @, %2F for /, %3F for ?, %23 for #; ${EXPECTED}`,
    );
  }
}

type Own = Pick<Place, 'schema' | 'max' | 'pgbouncer' | 'timeoutMs' | 'migrates'>;

function takeOwn(url: string, given: URLSearchParams): Own {
  const take = (name: string): string | null => {
    const value = given.get(name);
    given.delete(name);
    return value;
  };
  const schema = take('schema') ?? 'longshore';
  // Longer names are cut by the server without a word.
  if (schema === '' || Buffer.byteLength(schema) > 63)
    throw invalid(url, `schema is ${show(schema)}; expected a name of 1 to 63 bytes`);
  const unfit = UNFIT.exec(schema)?.[0];
  if (unfit !== undefined) {
    throw invalid(
      url,
      `schema is ${show(schema)}; expected a name without control characters and $$, and it has ${show(unfit)}`,
    );
  }
  if (/^(pg_|information_schema$)/.test(schema))
    throw invalid(url, `schema is ${show(schema)}, which is the server's own; expected another name`);
  const migrate = take('migrate');
  if (migrate !== null && migrate !== 'auto')
    throw invalid(url, `migrate is ${show(migrate)}; expected auto`);
  const own = {
    schema,
    max: wholeNumber(url, 'max', take('max'), MAX_DEFAULT),
    pgbouncer: yesOrNo(url, 'pgbouncer', take('pgbouncer')),
    timeoutMs: wholeNumber(url, 'timeoutMs', take('timeoutMs'), TIMEOUT_DEFAULT_MS),
    migrates: migrate === 'auto',
  };
  for (const name of given.keys()) refuseMisspelt(url, name);
  return own;
}

/**
 * What is left belongs to the driver, which says nothing of options that it does not know either. One that is nearly ours
 * would silently lead to another schema, so it is refused.
 */
function refuseMisspelt(url: string, name: string): void {
  if (name.includes('@')) throw invalid(url, 'a user name or password in it has a ?; write %3F for it');
  const letters = sorted(name);
  const meant = OWN.find(
    (own) => letters === sorted(own) || isOneLetterOff(name.toLowerCase(), own.toLowerCase()),
  );
  if (meant !== undefined) throw invalid(url, `there is no option ${show(name)}; it is written ${meant}`);
}

const OWN = ['schema', 'max', 'pgbouncer', 'timeoutMs', 'migrate'];

/** Equal for names that differ in case or in the order of their letters. */
function sorted(name: string): string {
  return [...name.toLowerCase()].sort().join('');
}

/** One letter more, less or another. */
function isOneLetterOff(given: string, own: string): boolean {
  if (Math.abs(given.length - own.length) > 1) return false;
  let same = 0;
  while (same < own.length && given[same] === own[same]) same += 1;
  const rests = [given.slice(same), own.slice(same)] as const;
  return [
    [1, 1],
    [0, 1],
    [1, 0],
  ].some(([skip, skipOwn]) => rests[0].slice(skip) === rests[1].slice(skipOwn));
}

/** In the texts of migrations these end the text of a function, or a comment. */
const UNFIT = /\p{Cc}|\$(?:seq)?\$/u;

function wholeNumber(url: string, name: string, text: string | null, otherwise: number): number {
  if (text === null) return otherwise;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw invalid(url, `${name} is ${show(text)}; expected a whole number of at least 1`);
}

function yesOrNo(url: string, name: string, text: string | null): boolean | null {
  if (text === null) return null;
  if (text === 'true' || text === 'false') return text === 'true';
  throw invalid(url, `${name} is ${show(text)}; expected true or false`);
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'postgres';
  }
}

function invalid(url: string, problem: string): LongshoreError {
  const shown = withoutPassword(url);
  return new LongshoreError('STORE_URL_INVALID', `The store URL is ${show(shown)}; ${problem}.`, {
    details: { url: shown },
  });
}
