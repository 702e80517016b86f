/** node:sqlite: the handler's order, its job's end and the receipt's job commit together. */
import { DatabaseSync } from 'node:sqlite';
import { connect, defineTask, type JobContext } from '../../src/index.ts'; // in your project: from 'longshore'
import { checkCredit, fulfil, type Order, receipt } from './shop.ts';

const longshore = await connect('sqlite:shop.db', { logger: false }); // makes the file; then come your own tables
const db = new DatabaseSync('shop.db', { timeout: 5_000 });
db.exec('CREATE TABLE IF NOT EXISTS shop_order (id INTEGER PRIMARY KEY, total INTEGER NOT NULL)');

const order = defineTask({
  name: 'order',
  attempts: 1,
  run: ({ input, transaction }: JobContext<Order>) =>
    transaction(db, async (tx) => {
      const { lastInsertRowid } = tx.prepare('INSERT INTO shop_order (total) VALUES (?)').run(input.total);
      const id = Number(lastInsertRowid);
      await longshore.enqueue(receipt, { order: id }, { tx });
      checkCredit(input.total);
      return id;
    }),
});

await fulfil(longshore, order);
db.close();
