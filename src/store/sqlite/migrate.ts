import { LongshoreError } from '../../core/errors.ts';
import { ownFile } from '../../own-file.ts';
import type { MigrationReport } from '../store.ts';
import { type Connection, retryWhileBusy } from './connection.ts';
import { readdirSync, readFileSync } from './files.ts';

/**
 * The layout's versions: migrations/NNNN-name.sql, each run once, in order, in one transaction. SQLite's user_version
 * is the version a file has, application_id says that it is ours.
 */

/** 'LSHR': https://sqlite.org/pragma.html#pragma_application_id */
export const APPLICATION_ID = 0x4c534852;

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** Asked for when it is used: a bundled program that uses another store does not need it. */
function folder(): URL {
  return ownFile('./migrations/', import.meta.url);
}

export function migrations(): Migration[] {
  return readdirSync(folder())
    .filter((file) => /^\d{4}-.+\.sql$/.test(file))
    .sort()
    .map((file) => ({
      version: Number(file.slice(0, 4)),
      name: file.slice(5, -4),
      sql: readFileSync(new URL(file, folder()), 'utf8'),
    }));
}

/** The layout version of the file; 0 for a new one. Throws STORE_URL_INVALID for another program's, STORE_NEWER. */
export function layoutVersion(db: Connection): number {
  const [application, version, tables] = retryWhileBusy(() => [
    pragma(db, 'application_id'),
    pragma(db, 'user_version'),
    db.get<{ tables: number }>('SELECT count(*) AS tables FROM sqlite_schema')?.tables ?? 0,
  ]);
  if (application === APPLICATION_ID) return requireKnown(db.file, version as number);
  if (application === 0 && version === 0 && tables === 0) return 0;
  throw new LongshoreError(
    'STORE_URL_INVALID',
    `${db.file} is a database of another program (application_id ${application}, ${tables} tables). Give Longshore a file of its own.`,
    { details: { file: db.file, application, tables } },
  );
}

function requireKnown(file: string, version: number): number {
  const known = migrations().at(-1)?.version ?? 0;
  if (version <= known) return version;
  throw new LongshoreError(
    'STORE_NEWER',
    `${file} has layout ${version}; this version of Longshore knows layouts up to ${known}. Install the newer Longshore that wrote it, or restore a backup.`,
    { details: { file, version, known } },
  );
}

/** Brings the layout up to date. Safe when many processes do it at once: the lock's later holders find it done. */
export function migrate(db: Connection): MigrationReport {
  const all = migrations();
  const to = all.at(-1)?.version ?? 0;
  const found = layoutVersion(db);
  if (found === to) return report(all, found, to, []);
  retryWhileBusy(() => db.exec('BEGIN IMMEDIATE'));
  try {
    const from = layoutVersion(db);
    const due = all.filter(({ version }) => version > from);
    for (const { sql } of due) db.exec(sql);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${to}`);
    retryWhileBusy(() => db.exec('COMMIT'));
    return report(all, from, to, due);
  } catch (error) {
    db.rollback();
    throw error;
  }
}

/** What `migrate` would do to a file with layout `from`. */
export function plan(from: number): MigrationReport {
  const all = migrations();
  return report(all, from, all.at(-1)?.version ?? 0, []);
}

function report(
  all: readonly Migration[],
  from: number,
  to: number,
  applied: readonly Migration[],
): MigrationReport {
  const steps = all
    .filter(({ version }) => version > from)
    .map((migration) => ({
      version: migration.version,
      name: migration.name,
      applied: applied.includes(migration),
    }));
  return { from, to, steps };
}

function pragma(db: Connection, name: 'application_id' | 'user_version'): number {
  return db.get<Record<string, number>>(`PRAGMA ${name}`)?.[name] ?? 0;
}
