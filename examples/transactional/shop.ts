/** What the programs of this folder share: a database, a task, and an order that is too large. */
import { type AnyTask, connect, defineTask, type Longshore } from '../../src/index.ts'; // in your project: from 'longshore'

/** A PostgreSQL database that may be written to, e.g. postgres://postgres@localhost/shop */
export const url = process.env.DATABASE_URL ?? 'postgres://localhost/postgres';

export const CREATE_TABLE =
  'CREATE TABLE IF NOT EXISTS shop_order (id serial PRIMARY KEY, total integer NOT NULL)';

export const receipt = defineTask({
  name: 'receipt',
  run: ({ input }) => console.log(`receipt for order ${(input as { order: number }).order}`),
});

/** In the database of the orders: a transaction spans no two. */
export function openLongshore(): Promise<Longshore> {
  return connect(`${url}?migrate=auto`, { logger: false });
}

/** Late in the transaction: the order and its job are written by then. */
export function checkCredit(total: number): void {
  if (total > 100) throw new Error(`no credit for an order of ${total}`);
}

/** Two orders, one of which is rolled back; then the jobs that exist are run. */
export async function trade(longshore: Longshore, order: (total: number) => Promise<void>): Promise<void> {
  await order(20);
  await order(500).catch((error: Error) => console.log(`rolled back: ${error.message}`));
  const { jobs } = await longshore.jobs.list();
  console.log(`jobs: ${jobs.length}`);
  await longshore.worker({ tasks: [receipt] }).runUntilIdle();
  await longshore.close();
}

/** Two orders as jobs, one of which rolls its transaction back (complete-*.ts). */
export async function fulfil(longshore: Longshore, order: AnyTask): Promise<void> {
  for (const total of [20, 500]) {
    const job = await longshore.enqueue(order, { total });
    const result = job.result().catch(({ cause }) => cause.message);
    await longshore.worker({ tasks: [order, receipt] }).runUntilIdle();
    console.log(`order of ${total}: ${await result}`);
  }
  await longshore.close();
}

export interface Order {
  readonly total: number;
}
