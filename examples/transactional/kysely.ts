/** Kysely: the tx is its Transaction. */
import { type Generated, Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { CREATE_TABLE, checkCredit, openLongshore, receipt, trade, url } from './shop.ts';

interface Shop {
  shop_order: { id: Generated<number>; total: number };
}

const longshore = await openLongshore();
const pool = new pg.Pool({ connectionString: url });
const db = new Kysely<Shop>({ dialect: new PostgresDialect({ pool }) });
await sql.raw(CREATE_TABLE).execute(db);

async function order(total: number): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { id } = await tx
      .insertInto('shop_order')
      .values({ total })
      .returning('id')
      .executeTakeFirstOrThrow();
    await longshore.enqueue(receipt, { order: id }, { tx });
    checkCredit(total);
  });
}

await trade(longshore, order);
await db.destroy();
