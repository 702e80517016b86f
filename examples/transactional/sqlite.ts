/** node:sqlite: the tx is a connection of your own to the file of the jobs, with a transaction open. */
import { DatabaseSync } from 'node:sqlite';
import { connect } from '../../src/index.ts'; // in your project: from 'longshore'
import { checkCredit, receipt, trade } from './shop.ts';

const longshore = await connect('sqlite:shop.db'); // makes the file; then come your own tables
const db = new DatabaseSync('shop.db', { timeout: 5_000 });
db.exec('CREATE TABLE IF NOT EXISTS shop_order (id INTEGER PRIMARY KEY, total INTEGER NOT NULL)');

async function order(total: number): Promise<void> {
  db.exec('BEGIN IMMEDIATE');
  try {
    const { lastInsertRowid } = db.prepare('INSERT INTO shop_order (total) VALUES (?)').run(total);
    await longshore.enqueue(receipt, { order: Number(lastInsertRowid) }, { tx: db });
    checkCredit(total);
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

await trade(longshore, order);
db.close();
