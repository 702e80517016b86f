/** node-postgres: the tx is the client that has begun. */
import pg from 'pg';
import { CREATE_TABLE, checkCredit, openLongshore, receipt, trade, url } from './shop.ts';

const longshore = await openLongshore();
const pool = new pg.Pool({ connectionString: url });
await pool.query(CREATE_TABLE);

async function order(total: number): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const { rows } = await client.query('INSERT INTO shop_order (total) VALUES ($1) RETURNING id', [total]);
    await longshore.enqueue(receipt, { order: rows[0].id }, { tx: client });
    checkCredit(total);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

await trade(longshore, order);
await pool.end();
