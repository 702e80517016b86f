/** postgres.js: the handler's order, its job's end and the receipt's job commit together. */
import postgres from 'postgres';
import { defineTask, type JobContext } from '../../src/index.ts'; // in your project: from 'longshore'
import { CREATE_TABLE, checkCredit, fulfil, type Order, openLongshore, receipt, url } from './shop.ts';

const longshore = await openLongshore();
const database = postgres(url, { onnotice: () => undefined });
await database.unsafe(CREATE_TABLE);

const order = defineTask({
  name: 'order',
  attempts: 1,
  run: ({ input, transaction }: JobContext<Order>) =>
    transaction(database, async (tx) => {
      const [row] = await tx`INSERT INTO shop_order (total) VALUES (${input.total}) RETURNING id`;
      const id: number = row?.id;
      await longshore.enqueue(receipt, { order: id }, { tx });
      checkCredit(input.total);
      return id;
    }),
});

await fulfil(longshore, order);
await database.end();
