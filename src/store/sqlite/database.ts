import { dirname } from 'node:path';
import { LongshoreError } from '../../core/errors.ts';
import { Connection, retryWhileBusy } from './connection.ts';
import { accessSync, closeSync, constants, openSync, statSync } from './files.ts';
import { layoutVersion, migrate } from './migrate.ts';

/**
 * Opens the database file: checks what a user can get wrong, then sets it up. Another program's file is refused
 * before anything in it is changed.
 */
export function openDatabase(file: string): Connection {
  const db = openForMigration(file);
  try {
    migrate(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** All but the migrations. */
export function openForMigration(file: string): Connection {
  requireWritable(file);
  makePrivate(file);
  const db = new Connection(file);
  try {
    layoutVersion(db);
    configure(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Opens an existing file to look at it only. */
export function openToRead(file: string): Connection {
  requireFolder(file);
  return new Connection(file, true);
}

export function fileExists(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** The write-ahead log is copied into the file once it has so many pages of 4 KB, at the latest. */
const CHECKPOINT_PAGES = 4_000;
const CACHE_KB = 16_000;
const LOG_BYTES_KEPT = 64 * 1_024 * 1_024;

function configure(db: Connection): void {
  const mode = retryWhileBusy(() => db.get<{ journal_mode: string }>('PRAGMA journal_mode = WAL'));
  if (mode?.journal_mode !== 'wal') {
    throw new LongshoreError(
      'STORE_UNAVAILABLE',
      `${db.file}: write-ahead logging is not possible here (journal mode ${mode?.journal_mode}), as on a network file system. Put the file on a local disk.`,
      { details: { file: db.file } },
    );
  }
  // FULL: every commit is on the disk before it is acknowledged.
  db.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
    PRAGMA journal_size_limit = ${LOG_BYTES_KEPT};
    PRAGMA cache_size = -${CACHE_KB};
    PRAGMA temp_store = MEMORY`);
}

function requireWritable(file: string): void {
  requireFolder(file);
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.isDirectory()) {
    throw new LongshoreError(
      'STORE_URL_INVALID',
      `${file} is a folder; name a file in it, such as ${file}/jobs.db.`,
      {
        details: { file },
      },
    );
  }
  const folder = dirname(file);
  const unwritable = [folder, ...(found === undefined ? [] : [file])].find((path) => !isWritable(path));
  if (unwritable === undefined) return;
  throw new LongshoreError(
    'STORE_READ_ONLY',
    `${unwritable} cannot be written by this user. Longshore writes ${file} and files beside it (-wal, -shm, -wake): make the ${unwritable === folder ? 'folder' : 'file'} writable, or use another path.`,
    { details: { file, path: unwritable } },
  );
}

/**
 * Jobs hold what users gave, so a new file is for its owner alone; SQLite gives the files beside it the same mode. One
 * that exists keeps its mode. What cannot be made here, SQLite cannot make either, and says why.
 */
function makePrivate(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch {
    // It is there.
  }
}

function requireFolder(file: string): void {
  const folder = dirname(file);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new LongshoreError(
    'STORE_UNAVAILABLE',
    `The folder ${folder} does not exist. Create it first: mkdir -p ${folder}`,
    { details: { file, folder } },
  );
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
