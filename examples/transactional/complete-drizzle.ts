/** Drizzle on node-postgres: the handler's order, its job's end and the receipt's job commit together. */
import { drizzle } from 'drizzle-orm/node-postgres';
import { integer, pgTable, serial } from 'drizzle-orm/pg-core';
import { defineTask, type JobContext } from '../../src/index.ts'; // in your project: from 'longshore'
import { CREATE_TABLE, checkCredit, fulfil, type Order, openLongshore, receipt, url } from './shop.ts';

const shopOrder = pgTable('shop_order', { id: serial().primaryKey(), total: integer().notNull() });

const longshore = await openLongshore();
const db = drizzle(url);
await db.execute(CREATE_TABLE);

const order = defineTask({
  name: 'order',
  attempts: 1,
  run: ({ input, transaction }: JobContext<Order>) =>
    transaction(db, async (tx) => {
      const [row] = await tx.insert(shopOrder).values({ total: input.total }).returning();
      const id = row?.id ?? 0;
      await longshore.enqueue(receipt, { order: id }, { tx });
      checkCredit(input.total);
      return id;
    }),
});

await fulfil(longshore, order);
await db.$client.end();
