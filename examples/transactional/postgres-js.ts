/** postgres.js: the tx is the sql of the transaction. */
import postgres from 'postgres';
import { CREATE_TABLE, checkCredit, openLongshore, receipt, trade, url } from './shop.ts';

const longshore = await openLongshore();
const database = postgres(url, { onnotice: () => undefined });
await database.unsafe(CREATE_TABLE);

async function order(total: number): Promise<void> {
  await database.begin(async (sql) => {
    const [row] = await sql`INSERT INTO shop_order (total) VALUES (${total}) RETURNING id`;
    await longshore.enqueue(receipt, { order: row?.id }, { tx: sql });
    checkCredit(total);
  });
}

await trade(longshore, order);
await database.end();
