import { type ErrorCode, LongshoreError } from '../../core/errors.ts';
import { reasonOf as messageOf } from '../../core/legible.ts';
import { type Place, quoted } from './url.ts';

/**
 * What the driver throws, as errors of the one table: the server's SQLSTATE codes
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html), the system's error codes, and the driver's own
 * errors, which have only a message.
 */

/** The server's code of an error; null when it did not come from the server. */
export function sqlState(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !SYSTEM_CODES.has(code) ? code : null;
}

/** Codes of the system that look like the server's. */
const SYSTEM_CODES = new Set(['EPERM', 'EPIPE', 'EBADF', 'EBUSY', 'EMLINK', 'ENXIO', 'EROFS']);

/** Two transactions stood in each other's way and this one was undone: doing it again may succeed. */
export function isConflict(error: unknown): boolean {
  const state = sqlState(error);
  return state === '40001' || state === '40P01';
}

/** The connection is of no more use (25P03 and 25P04 end transactions that take too long, connection and all), and whether a statement under way was carried out is not known. */
export function isDisconnect(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== null) return /^(08...|57P0[1-5]|25P0[34])$/.test(state);
  return NETWORK[codeOf(error)] !== undefined || /terminated|not queryable|timeout/i.test(reasonOf(error));
}

/** The server takes no writes any more, and nothing was done: after a failover a new connection may lead to the one that does. */
export function isReadOnly(error: unknown): boolean {
  return sqlState(error) === '25006';
}

/** A connection with this error is given up. */
export function isUseless(error: unknown): boolean {
  return isDisconnect(error) || isReadOnly(error);
}

/** What went wrong with the server, in the words of its user. Errors of Longshore pass as they are. */
export function toStoreError(error: unknown, place: Place): LongshoreError {
  if (error instanceof LongshoreError) return error;
  const state = sqlState(error);
  const reason = reasonOf(error);
  const [code, text] =
    state === null ? explainSystem(codeOf(error), reason, place) : explainServer(state, reason, place);
  const { host, port, database, user, schema } = place;
  const details = { host, port, database, user, schema, ...(state === null ? {} : { sqlState: state }) };
  return new LongshoreError(code, text, { cause: error, details });
}

type Explained = readonly [code: ErrorCode, text: string];

function explainServer(state: string, reason: string, place: Place): Explained {
  const { user, database, schema } = place;
  const where = whereIs(place);
  switch (state) {
    case '28P01':
    case '28000':
      return [
        'STORE_UNAVAILABLE',
        `${where} refused user ${user} (${reason}). Check user and password in the URL or PGUSER and PGPASSWORD, and the server's pg_hba.conf.`,
      ];
    case '3D000':
      return [
        'STORE_UNAVAILABLE',
        `${where} has no such database (${reason}). Check the URL, or make it: CREATE DATABASE ${quoted(database)}.`,
      ];
    case '42501':
      return ['STORE_UNAVAILABLE', rights(reason, place)];
    case '25006':
      return [
        'STORE_UNAVAILABLE',
        `${where} takes no writes now (${reason}), as a primary that became a replica. The next call connects anew; if it stays so, connect to the primary.`,
      ];
    case '53100':
      return [
        'STORE_FULL',
        `${where} has no space left (${reason}). Nothing of the batch was written; free some space and try again.`,
      ];
    case '53300':
      return [
        'STORE_UNAVAILABLE',
        `${where} has no connection left (${reason}). Lower ?max= of the store URLs, raise max_connections, or put PgBouncer in between.`,
      ];
    case '55P03':
    case '57014':
    case '40001':
    case '40P01':
      return [
        'STORE_BUSY',
        `${where}: others hold what this call needs for too long (${reason}). Try again; if it stays so, look for long transactions in pg_stat_activity.`,
      ];
    // Of a text beyond a gigabyte, or of JSON text beyond a quarter of it.
    case '54000':
      return ['PAYLOAD_TOO_LARGE', tooLarge(where, reason)];
    case 'XX001':
    case 'XX002':
      return [
        'STORE_CORRUPT',
        `${where} holds damaged data (${reason}). Keep a copy of the server's files, then restore a backup; a damaged index is mended by REINDEX SCHEMA ${quoted(schema)}.`,
      ];
    case '42P01':
    case '42883':
    case '42703':
    case '42704':
    case '3F000':
      return [
        'STORE_OUTDATED',
        `Schema ${quoted(schema)} on ${where} is not as this version of Longshore needs it (${reason}). Run longshore doctor, then longshore migrate, with this store's URL.`,
      ];
    default:
      return explainClass(state, reason, where);
  }
}

function tooLarge(where: string, reason: string): string {
  return `${where} does not take values of this size (${reason}). Nothing was written; store the data elsewhere and send a reference.`;
}

function explainClass(state: string, reason: string, where: string): Explained {
  if (/invalid memory alloc request size/.test(reason)) return ['PAYLOAD_TOO_LARGE', tooLarge(where, reason)];
  if (/^(08|57P|53|25P0[34])/.test(state)) {
    return [
      'STORE_UNAVAILABLE',
      `${where} cannot serve now (${reason}). Check that the server runs; this call may be repeated.`,
    ];
  }
  return ['STORE_FAILED', `${where}: ${reason} (SQLSTATE ${state}).`];
}

function rights(reason: string, { user, schema, database, ...place }: Place): string {
  const [role, name] = [quoted(user), quoted(schema)];
  const where = `${place.host}:${place.port}`;
  return (
    `User ${user} lacks rights in database ${database} on ${where} (${reason}). As the schema's owner run: ` +
    `GRANT USAGE, CREATE ON SCHEMA ${name} TO ${role}; ` +
    `GRANT ALL ON ALL TABLES IN SCHEMA ${name} TO ${role}; ` +
    `GRANT ALL ON ALL SEQUENCES IN SCHEMA ${name} TO ${role}; ` +
    `or, if there is no schema ${schema} yet: GRANT CREATE ON DATABASE ${quoted(database)} TO ${role}.`
  );
}

const UNREACHED = 'Check that the server runs and that host and port are right.';

/** What the system says, with what to do. */
const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: `the connection was refused. ${UNREACHED}`,
  ENOTFOUND: 'there is no host of that name. Check the host in the URL or PGHOST.',
  EAI_AGAIN: 'the name of the host cannot be looked up now. Check the network and its name servers.',
  ETIMEDOUT: `nobody answered in time. ${UNREACHED}`,
  EHOSTUNREACH: `there is no way to that host. ${UNREACHED}`,
  ENETUNREACH: `there is no way to that network. ${UNREACHED}`,
  ECONNRESET: 'the connection was broken. Check that the server runs; this call may be repeated.',
  ECONNABORTED: 'the connection was broken. Check that the server runs; this call may be repeated.',
  EPIPE: 'the connection was broken. Check that the server runs; this call may be repeated.',
  ENOENT: 'there is no such socket. Check the folder given as host and that the server runs.',
  EACCES: "this user may not use the server's socket.",
};

function explainSystem(code: string, reason: string, place: Place): Explained {
  const where = whereIs(place);
  // Of V8, for a text beyond half a gigabyte.
  if (/Invalid string length/.test(reason) || code === 'ERR_STRING_TOO_LONG')
    return ['PAYLOAD_TOO_LARGE', tooLarge(where, reason)];
  const known = NETWORK[code];
  if (known !== undefined) return ['STORE_UNAVAILABLE', `${where}: ${known}`];
  if (/SASL|password must be a string/i.test(reason)) {
    return [
      'STORE_UNAVAILABLE',
      `${where} asks for a password of user ${place.user}, and none was given (${reason}). Put it into the URL, PGPASSWORD or ~/.pgpass.`,
    ];
  }
  if (/timeout/i.test(reason))
    return ['STORE_UNAVAILABLE', `${where}: nobody answered in time (${reason}). ${UNREACHED}`];
  if (/terminated|not queryable|closed the connection/i.test(reason)) {
    return [
      'STORE_UNAVAILABLE',
      `${where}: the connection was broken (${reason}). Check that the server runs; this call may be repeated.`,
    ];
  }
  if (/SSL|CERT|certificate/i.test(`${code} ${reason}`)) {
    return [
      'STORE_UNAVAILABLE',
      `${where}: no encrypted connection (${reason}). Check sslmode and sslrootcert in the URL.`,
    ];
  }
  return ['STORE_FAILED', `${where}: ${reason}`];
}

/** Names no password, and the schema only where it matters. */
export function whereIs({ host, port, database }: Pick<Place, 'host' | 'port' | 'database'>): string {
  const server = host.startsWith('/') ? `${host}/.s.PGSQL.${port}` : `${host}:${port}`;
  return `PostgreSQL at ${server}, database ${database}`;
}

function codeOf(error: unknown): string {
  const { code, errors } = (error ?? {}) as { code?: unknown; errors?: readonly unknown[] };
  if (typeof code === 'string') return code;
  return Array.isArray(errors) && errors.length > 0 ? codeOf(errors[0]) : '';
}

/** An attempt at several addresses of a host has its reasons inside. */
function reasonOf(error: unknown): string {
  const inner = (error as { errors?: unknown } | null)?.errors;
  if (Array.isArray(inner) && inner.length > 0) return inner.map(reasonOf).join('; ');
  return messageOf(error);
}
