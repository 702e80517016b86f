/** Kysely: the handler's order, its job's end and the receipt's job commit together. */
import { type Generated, Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { defineTask, type JobContext } from '../../src/index.ts'; // in your project: from 'longshore'
import { CREATE_TABLE, checkCredit, fulfil, type Order, openLongshore, receipt, url } from './shop.ts';

interface Shop {
  shop_order: { id: Generated<number>; total: number };
}

const longshore = await openLongshore();
const pool = new pg.Pool({ connectionString: url });
const db = new Kysely<Shop>({ dialect: new PostgresDialect({ pool }) });
await sql.raw(CREATE_TABLE).execute(db);

const order = defineTask({
  name: 'order',
  attempts: 1,
  run: ({ input, transaction }: JobContext<Order>) =>
    transaction(db, async (tx) => {
      const { total } = input;
      const { id } = await tx
        .insertInto('shop_order')
        .values({ total })
        .returning('id')
        .executeTakeFirstOrThrow();
      await longshore.enqueue(receipt, { order: id }, { tx });
      checkCredit(input.total);
      return id;
    }),
});

await fulfil(longshore, order);
await db.destroy();
