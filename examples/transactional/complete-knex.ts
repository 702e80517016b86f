/** Knex: the handler's order, its job's end and the receipt's job commit together. */
import knex from 'knex';
import { defineTask, type JobContext } from '../../src/index.ts'; // in your project: from 'longshore'
import { CREATE_TABLE, checkCredit, fulfil, type Order, openLongshore, receipt, url } from './shop.ts';

const longshore = await openLongshore();
const db = knex({ client: 'pg', connection: url });
await db.raw(CREATE_TABLE);

const order = defineTask({
  name: 'order',
  attempts: 1,
  run: ({ input, transaction }: JobContext<Order>) =>
    transaction(db, async (tx) => {
      const [row] = await tx('shop_order').insert({ total: input.total }).returning('id');
      const id: number = row.id;
      await longshore.enqueue(receipt, { order: id }, { tx });
      checkCredit(input.total);
      return id;
    }),
});

await fulfil(longshore, order);
await db.destroy();
