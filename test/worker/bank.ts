import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import type { Stage } from '../stage.ts';

/** The stores that have transactions to share. */
export const BANK_KINDS = ['sqlite', 'postgres'] as const;

/** A table of a user's beside the jobs, and the library that the user works with: pg and node:sqlite. */
export interface Bank {
  /** What `ctx.transaction` takes. */
  readonly db: object;
  pay(tx: object, amount: number): Promise<void>;
  /** A statement that fails, and its error is caught: on PostgreSQL nothing more can be done in the transaction. */
  fail(tx: object): Promise<void>;
  balance(): Promise<number>;
  /** A transaction that the user opens. */
  begin(): Promise<{ readonly tx: object; commit(): Promise<void>; rollback(): Promise<void> }>;
}

export async function openBank(stage: Stage): Promise<Bank> {
  return stage.kind === 'sqlite' ? sqliteBank(stage) : postgresBank(stage);
}

function sqliteBank(stage: Stage): Bank {
  const open = (): DatabaseSync => {
    const db = new DatabaseSync(stage.url.slice('sqlite:'.length), { timeout: 15_000 });
    stage.t.after(() => db.close());
    return db;
  };
  const db = open();
  db.exec('CREATE TABLE account (balance INTEGER NOT NULL); INSERT INTO account VALUES (0)');
  return {
    db,
    pay: async (tx, amount) => {
      (tx as DatabaseSync).prepare('UPDATE account SET balance = balance + ?').run(amount);
    },
    fail: async (tx) => {
      try {
        (tx as DatabaseSync).exec('SELECT nothing FROM nowhere');
      } catch {
        // As a handler does that goes on all the same.
      }
    },
    balance: async () => Number(db.prepare('SELECT balance FROM account').get()?.balance),
    begin: async () => {
      const tx = open();
      tx.exec('BEGIN IMMEDIATE');
      return { tx, commit: async () => tx.exec('COMMIT'), rollback: async () => tx.exec('ROLLBACK') };
    },
  };
}

async function postgresBank(stage: Stage): Promise<Bank> {
  const { schema, connectionString } = partsOf(stage.url);
  const pool = new pg.Pool({ connectionString });
  stage.t.after(() => pool.end());
  const account = `"${schema}".account`;
  await pool.query(`CREATE TABLE ${account} (balance integer NOT NULL)`);
  await pool.query(`INSERT INTO ${account} VALUES (0)`);
  return {
    db: pool,
    pay: async (tx, amount) => {
      await (tx as pg.PoolClient).query(`UPDATE ${account} SET balance = balance + $1`, [amount]);
    },
    fail: async (tx) => {
      await (tx as pg.PoolClient).query('SELECT nothing FROM nowhere').catch(() => undefined);
    },
    balance: async () => (await pool.query(`SELECT balance FROM ${account}`)).rows[0].balance,
    begin: async () => {
      const tx = await pool.connect();
      await tx.query('BEGIN');
      const end = async (text: string): Promise<void> => {
        await tx.query(text);
        tx.release();
      };
      return { tx, commit: () => end('COMMIT'), rollback: () => end('ROLLBACK') };
    },
  };
}

/** The schema of a store's URL, and the URL as pg takes it. */
export function partsOf(text: string): { readonly schema: string; readonly connectionString: string } {
  const url = new URL(text);
  const schema = url.searchParams.get('schema') as string;
  url.search = '';
  return { schema, connectionString: url.href };
}
