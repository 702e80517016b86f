/**
 * What a library gives to the function that is to run in a transaction, told from the type of its pool or client. No
 * library is imported, so it goes by shape: pg, postgres.js, Kysely, Prisma, Knex, Drizzle, node:sqlite.
 */
export type TransactionOf<Db> = Db extends {
  connect: { (): Promise<infer Client extends object>; (callback: never): void };
  totalCount: number;
}
  ? Client
  : Db extends {
        begin: {
          (run: (sql: infer Sql extends object) => never): unknown;
          (options: never, run: never): unknown;
        };
      }
    ? Sql
    : Db extends { transaction(): { execute(run: (tx: infer Tx extends object) => never): unknown } }
      ? Tx
      : Db extends { $transaction(run: (tx: infer Tx extends object) => never): unknown }
        ? Tx
        : Db extends { transaction(run: (tx: infer Tx extends object) => never): unknown }
          ? Tx
          : Db extends { prepare(...given: never): unknown; exec(...given: never): unknown }
            ? Db
            : object;
