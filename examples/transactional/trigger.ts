/** No program at all: a trigger enqueues, in the transaction of whoever inserts. */
import pg from 'pg';
import { CREATE_TABLE, checkCredit, openLongshore, trade, url } from './shop.ts';

const longshore = await openLongshore();
const client = new pg.Client({ connectionString: url });
await client.connect();
await client.query(CREATE_TABLE);
await client.query(`
  CREATE OR REPLACE FUNCTION enqueue_receipt() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM longshore.enqueue('receipt', jsonb_build_object('order', NEW.id));
    RETURN NULL;
  END $$;
  DROP TRIGGER IF EXISTS receipt ON shop_order;
  CREATE TRIGGER receipt AFTER INSERT ON shop_order FOR EACH ROW EXECUTE FUNCTION enqueue_receipt()`);

async function order(total: number): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query('INSERT INTO shop_order (total) VALUES ($1)', [total]);
    checkCredit(total);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

await trade(longshore, order);
await client.end();
