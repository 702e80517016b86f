/** Drizzle on postgres.js: the tx is Drizzle's own. */

import { integer, pgTable, serial } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/postgres-js';
import { CREATE_TABLE, checkCredit, openLongshore, receipt, trade, url } from './shop.ts';

const shopOrder = pgTable('shop_order', { id: serial().primaryKey(), total: integer().notNull() });

const longshore = await openLongshore();
const db = drizzle({ connection: { url, onnotice: () => undefined } });
await db.execute(CREATE_TABLE);

async function order(total: number): Promise<void> {
  await db.transaction(async (tx) => {
    const [row] = await tx.insert(shopOrder).values({ total }).returning();
    await longshore.enqueue(receipt, { order: row?.id }, { tx });
    checkCredit(total);
  });
}

await trade(longshore, order);
await db.$client.end();
