/** Knex: the tx is its trx. */
import knex from 'knex';
import { CREATE_TABLE, checkCredit, openLongshore, receipt, trade, url } from './shop.ts';

const longshore = await openLongshore();
const db = knex({ client: 'pg', connection: url });
await db.raw(CREATE_TABLE);

async function order(total: number): Promise<void> {
  await db.transaction(async (tx) => {
    const [row] = await tx('shop_order').insert({ total }).returning('id');
    await longshore.enqueue(receipt, { order: row.id }, { tx });
    checkCredit(total);
  });
}

await trade(longshore, order);
await db.destroy();
