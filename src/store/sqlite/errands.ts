import type { MigrationReport } from '../store.ts';
import { fileExists, openForMigration, openToRead } from './database.ts';
import { layoutVersion, migrate, plan } from './migrate.ts';

/** What is done to a database file without serving it. Runs on a store thread of its own. */

export function planFile(file: string): MigrationReport {
  if (!fileExists(file)) return plan(0);
  const db = openToRead(file);
  try {
    return plan(layoutVersion(db));
  } finally {
    db.close();
  }
}

export function migrateFile(file: string): MigrationReport {
  const db = openForMigration(file);
  try {
    return migrate(db);
  } finally {
    db.close();
  }
}
