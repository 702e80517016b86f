import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import type { StoreKind } from './fresh-store.ts';

/** The kinds of stores that have transactions to share. */
export const TRANSACTION_KINDS = ['sqlite', 'postgres'] as const satisfies readonly StoreKind[];

/** A user's own way into the database of the jobs: pg or node:sqlite. */
export interface UserDatabase {
  /** What `ctx.transaction` takes. */
  readonly db: object;
  /** Before the names of a user's own tables, which go with the store. */
  readonly prefix: string;
  /** A statement in a transaction, or by itself with `db`; its rows. */
  query(tx: object, text: string): Promise<Record<string, unknown>[]>;
  begin(): Promise<UserTransaction>;
  close(): Promise<void>;
}

export interface UserTransaction {
  readonly tx: object;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

export async function openUserDatabase(kind: StoreKind, url: string): Promise<UserDatabase> {
  if (kind === 'sqlite') return openSqlite(url.slice('sqlite:'.length));
  if (kind === 'postgres') return openPostgres(url);
  throw new Error(`a ${kind} store has no transactions to share`);
}

function openSqlite(file: string): UserDatabase {
  const opened: DatabaseSync[] = [];
  const open = (): DatabaseSync => {
    const db = new DatabaseSync(file, { timeout: 15_000 });
    opened.push(db);
    return db;
  };
  return {
    db: open(),
    prefix: '',
    query: async (tx, text) => (tx as DatabaseSync).prepare(text).all(),
    begin: async () => {
      const tx = open();
      tx.exec('BEGIN IMMEDIATE');
      return { tx, commit: async () => tx.exec('COMMIT'), rollback: async () => tx.exec('ROLLBACK') };
    },
    close: async () => {
      for (const db of opened) if (db.isOpen) db.close();
    },
  };
}

function openPostgres(text: string): UserDatabase {
  const url = new URL(text);
  const schema = url.searchParams.get('schema') as string;
  url.search = '';
  const pool = new pg.Pool({ connectionString: url.href });
  return {
    db: pool,
    prefix: `"${schema}".`,
    query: async (tx, statement) => (await (tx as pg.PoolClient).query(statement)).rows,
    begin: async () => {
      const tx = await pool.connect();
      await tx.query('BEGIN');
      const end = async (statement: string): Promise<void> => {
        await tx.query(statement);
        tx.release();
      };
      return { tx, commit: () => end('COMMIT'), rollback: () => end('ROLLBACK') };
    },
    close: () => pool.end(),
  };
}
