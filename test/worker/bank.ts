import type { Stage } from '../stage.ts';
import { openUserDatabase, type UserTransaction } from '../user-database.ts';

/** An account of a user's, in a table beside the jobs. */
export interface Bank {
  /** What `ctx.transaction` takes. */
  readonly db: object;
  pay(tx: object, amount: number): Promise<void>;
  /** A statement that fails, and its error is caught: on PostgreSQL nothing more can be done in the transaction. */
  fail(tx: object): Promise<void>;
  balance(): Promise<number>;
  /** A transaction that the user opens. */
  begin(): Promise<UserTransaction>;
}

export async function openBank(stage: Stage): Promise<Bank> {
  const database = await openUserDatabase(stage.kind, stage.url);
  stage.t.after(() => database.close());
  const { db, prefix, query } = database;
  const account = `${prefix}account`;
  await query(db, `CREATE TABLE ${account} (balance integer NOT NULL)`);
  await query(db, `INSERT INTO ${account} VALUES (0)`);
  return {
    db,
    pay: async (tx, amount) => {
      await query(tx, `UPDATE ${account} SET balance = balance + ${amount}`);
    },
    fail: async (tx) => {
      await query(tx, 'SELECT nothing FROM nowhere').catch(() => undefined);
    },
    balance: async () => Number((await query(db, `SELECT balance FROM ${account}`))[0]?.balance),
    begin: () => database.begin(),
  };
}
