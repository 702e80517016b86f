import type { DatabaseSync } from 'node:sqlite';
import { optionInvalid } from '../../core/errors.ts';

/**
 * Opens a transaction on the caller's own connection. A connection has one transaction at a time, and jobs that run side by
 * side share it, so each waits for the one before.
 */
export async function runForeign(db: unknown, body: (tx: object) => Promise<void>): Promise<void> {
  const database = db as DatabaseSync | null | undefined;
  if (typeof database?.exec !== 'function' || typeof database.prepare !== 'function')
    throw optionInvalid('db', db, 'a DatabaseSync of node:sqlite on the store’s own file');
  const before = last.get(database) ?? Promise.resolve();
  const own = before.then(() => runAlone(database, body));
  const over = own.catch(() => undefined);
  last.set(database, over);
  await own;
}

/** Of each connection; never rejects. */
const last = new WeakMap<DatabaseSync, Promise<void>>();

async function runAlone(database: DatabaseSync, body: (tx: object) => Promise<void>): Promise<void> {
  if (database.isTransaction)
    throw optionInvalid(
      'db',
      database,
      'a DatabaseSync with no transaction open; in one of your own use ctx.complete(result, { tx })',
    );
  database.exec('BEGIN IMMEDIATE');
  try {
    await body(database);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isOpen && database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
