import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { LongshoreError } from '../../core/errors.ts';
import { ERRORS_KEPT_FIRST, ERRORS_KEPT_LAST, LOGS_KEPT } from '../../core/trail.ts';
import type { MigrationReport } from '../store.ts';
import { sqlState, whereIs } from './errors.ts';
import { migrationsFolder } from './folder.ts';
import { channelOf } from './hints.ts';
import { openSession, type Session } from './session.ts';
import { type Place, quoted } from './url.ts';

/**
 * The layout's versions: migrations/NNNN-name.sql, each run once, all that are due in one transaction. `{{schema}}`
 * stands for the schema's name, `{{channel}}` for the channel of its hints, the others for numbers of core/trail.ts. The
 * schema's table `migration` says which were applied. On a server migrating is a step of its own (`longshore migrate`), since whoever connects may not be allowed to make tables.
 */
export async function migratePlace(
  place: Place,
  { dryRun }: { readonly dryRun: boolean },
): Promise<MigrationReport> {
  const session = await openSession(place);
  try {
    const { version } = await examine(session, place);
    return dryRun ? report(version, []) : await migrate(session, place);
  } finally {
    await session.close();
  }
}

export interface Migration {
  readonly version: number;
  readonly name: string;
  /** Of its text, as kept in the table `migration`. */
  readonly digest: string;
  /** For a schema's name. */
  sql(schema: string): string;
}

/** Of trails, as the functions hold them: another number needs another migration. */
const BOUNDS = {
  errorsKeptFirst: ERRORS_KEPT_FIRST,
  errorsKeptLast: ERRORS_KEPT_LAST,
  logsKept: LOGS_KEPT,
} as const;

export function migrations(): Migration[] {
  return migrationFiles().map((file) => {
    const text = readFileSync(new URL(file, migrationsFolder()), 'utf8');
    return {
      version: versionOf(file),
      name: file.slice(5, -4),
      digest: createHash('sha256').update(text).digest('hex').slice(0, 16),
      // A function, since $ means something in a replacement text; at once, since a schema may have any name.
      sql: (schema) =>
        text.replaceAll(/\{\{(\w+)\}\}/g, (_, what) => {
          if (what === 'schema') return quoted(schema);
          return what === 'channel' ? channelOf(schema) : String(BOUNDS[what as keyof typeof BOUNDS]);
        }),
    };
  });
}

/** The layout this version of Longshore needs. */
export function knownVersion(): number {
  return versionOf(migrationFiles().at(-1) ?? '0');
}

function migrationFiles(): string[] {
  return readdirSync(migrationsFolder())
    .filter((file) => /^\d{4}-.+\.sql$/.test(file))
    .sort();
}

function versionOf(file: string): number {
  return Number(file.slice(0, 4));
}

/** What must be known of a server before it is used. */
export interface ServerFacts {
  /** As in server_version_num: 150004 is 15.4. */
  readonly server: number;
  readonly encoding: string;
  readonly readOnly: boolean;
  /** Of transactions that do not say it. */
  readonly isolation: string;
  /** A process of the server; PgBouncer says another one when it stands between. */
  readonly pid: number;
  readonly schemaExists: boolean;
  /** Layout version found; 0 where there is none. */
  readonly version: number;
}

export const SERVER_MIN = 120_000;

/** What `examine` and `requireReady` need of a connection. */
export type Asks = Pick<Session, 'query'>;

/** Throws STORE_UNAVAILABLE for a server that is too old or not UTF8, STORE_NEWER for a layout that is too new. */
export async function examine(session: Asks, place: Place): Promise<ServerFacts> {
  const facts = await lookAt(session, place);
  if (facts.server < SERVER_MIN) {
    throw unfit(
      place,
      `is version ${versionText(facts.server)}; Longshore needs 12 or later. Upgrade the server`,
      { server: facts.server },
    );
  }
  if (facts.encoding !== 'UTF8') {
    throw unfit(
      place,
      `keeps text as ${facts.encoding}; Longshore needs UTF8. Make another database: CREATE DATABASE jobs ENCODING 'UTF8' TEMPLATE template0`,
      { encoding: facts.encoding },
    );
  }
  const known = knownVersion();
  if (facts.version <= known) return facts;
  throw new LongshoreError(
    'STORE_NEWER',
    `Schema ${place.schema} of ${whereIs(place)} has layout ${facts.version}; this version of Longshore knows layouts up to ${known}. Install the newer Longshore that made it, or restore a backup.`,
    { details: { schema: place.schema, version: facts.version, known } },
  );
}

/** As `examine`, and throws STORE_READ_ONLY, STORE_UNAVAILABLE for an isolation under which limits would not hold, and STORE_OUTDATED unless the layout is the one this version needs. */
export async function requireReady(session: Asks, place: Place): Promise<ServerFacts> {
  const facts = await examine(session, place);
  requireWritable(facts, place);
  requireReadCommitted(facts, place);
  const known = knownVersion();
  if (facts.version === known) return facts;
  const found =
    facts.version === 0 ? 'has no tables of Longshore yet' : `has layout ${facts.version} of ${known}`;
  throw new LongshoreError(
    'STORE_OUTDATED',
    `Schema ${place.schema} of ${whereIs(place)} ${found}. Run longshore migrate with this store's URL, or add ?migrate=auto to the URL in development.`,
    { details: { schema: place.schema, version: facts.version, known } },
  );
}

/** What can be said without a judgement; the doctor judges by itself. */
export async function lookAt(session: Asks, { schema }: Place): Promise<ServerFacts> {
  const [facts] = await session.query<Omit<ServerFacts, 'version'> & { layout: boolean }>(
    `SELECT current_setting('server_version_num')::int AS server, current_setting('server_encoding') AS encoding,
       pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS "readOnly",
       current_setting('default_transaction_isolation') AS isolation, pg_backend_pid() AS pid,
       EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS "schemaExists",
       EXISTS (SELECT FROM pg_class WHERE relname = 'migration' AND relkind = 'r'
         AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)) AS layout`,
    [schema],
  );
  if (facts === undefined) throw new Error('no row of settings');
  return { ...facts, version: facts.layout ? await layoutVersion(session, schema) : 0 };
}

async function layoutVersion(session: Asks, schema: string): Promise<number> {
  const [row] = await session.query<{ version: number }>(
    `SELECT coalesce(max(version), 0) AS version FROM ${quoted(schema)}.migration`,
  );
  return row?.version ?? 0;
}

/** Safe when many processes do it at once: those who come later find it done. */
async function migrate(session: Session, place: Place): Promise<MigrationReport> {
  const facts = await examine(session, place);
  if (facts.version === knownVersion()) return report(facts.version, []);
  requireWritable(facts, place);
  return session.transaction(async () => {
    await session.query('SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0');
    await session.patiently(`SELECT pg_advisory_xact_lock(hashtextextended('longshore migrate ' || $1, 0))`, [
      place.schema,
    ]);
    const { version: from, schemaExists } = await examine(session, place);
    const due = migrations().filter(({ version }) => version > from);
    const schema = quoted(place.schema);
    if (due.length > 0 && !schemaExists) await session.query(`CREATE SCHEMA ${schema}`);
    for (const migration of due) await apply(session, migration, place);
    return report(from, due);
  });
}

async function apply(session: Session, migration: Migration, place: Place): Promise<void> {
  const schema = quoted(place.schema);
  try {
    // A large table takes as long as it takes.
    await session.patiently(migration.sql(place.schema));
  } catch (error) {
    throw isTaken(error) ? taken(error as LongshoreError, place) : error;
  }
  await session.query(`INSERT INTO ${schema}.migration (version, name, digest) VALUES ($1, $2, $3)`, [
    migration.version,
    migration.name,
    migration.digest,
  ]);
}

/** A table, type or function of that name is there already. */
function isTaken(error: unknown): boolean {
  const state = sqlState((error as { cause?: unknown }).cause);
  return state === '42P07' || state === '42710' || state === '42723';
}

function taken(cause: LongshoreError, place: Place): LongshoreError {
  return new LongshoreError(
    'STORE_URL_INVALID',
    `Schema ${place.schema} of ${whereIs(place)} belongs to something else (${(cause.cause as Error).message}). Give Longshore a schema of its own, such as ?schema=longshore.`,
    { cause, details: { schema: place.schema } },
  );
}

function requireWritable({ readOnly }: ServerFacts, place: Place): void {
  if (!readOnly) return;
  throw new LongshoreError(
    'STORE_READ_ONLY',
    `${whereIs(place)} takes no writes: it is a replica, or default_transaction_read_only is on. Connect to the primary.`,
    { details: { host: place.host, port: place.port, database: place.database } },
  );
}

/** Who waited for the lock of a key must see what the others did under it, which no other level shows. */
function requireReadCommitted({ isolation }: ServerFacts, place: Place): void {
  if (isolation === 'read committed') return;
  throw unfit(
    place,
    `begins the transactions of user ${place.user} as ${isolation}, under which the limits of keys would not hold. Run: ALTER ROLE ${quoted(place.user)} IN DATABASE ${quoted(place.database)} SET default_transaction_isolation = 'read committed'`,
    { isolation },
  );
}

function unfit(place: Place, problem: string, details: Readonly<Record<string, unknown>>): LongshoreError {
  return new LongshoreError('STORE_UNAVAILABLE', `${whereIs(place)} ${problem}.`, {
    details: { host: place.host, port: place.port, database: place.database, ...details },
  });
}

export function versionText(server: number): string {
  return `${Math.floor(server / 10_000)}.${server % 10_000}`;
}

function report(from: number, applied: readonly Migration[]): MigrationReport {
  const steps = migrations()
    .filter(({ version }) => version > from)
    .map(({ version, name }) => ({
      version,
      name,
      applied: applied.some((migration) => migration.version === version),
    }));
  return { from, to: knownVersion(), steps };
}
