/** node-postgres: the handler's order, its job's end and the receipt's job commit together. */
import pg from 'pg';
import { defineTask, type JobContext } from '../../src/index.ts'; // in your project: from 'longshore'
import { CREATE_TABLE, checkCredit, fulfil, type Order, openLongshore, receipt, url } from './shop.ts';

const longshore = await openLongshore();
const pool = new pg.Pool({ connectionString: url });
await pool.query(CREATE_TABLE);

const order = defineTask({
  name: 'order',
  attempts: 1,
  run: ({ input, transaction }: JobContext<Order>) =>
    transaction(pool, async (tx) => {
      const { rows } = await tx.query('INSERT INTO shop_order (total) VALUES ($1) RETURNING id', [
        input.total,
      ]);
      const id: number = rows[0].id;
      await longshore.enqueue(receipt, { order: id }, { tx });
      checkCredit(input.total);
      return id;
    }),
});

await fulfil(longshore, order);
await pool.end();
