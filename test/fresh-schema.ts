import { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { StoreDriver } from '../src/store/store.ts';

/**
 * Schemas for tests on the PostgreSQL server they share. Making one takes a hundred times as long as emptying it, so a
 * file uses its own again; one that a connection was left open to is dropped, and the test that left it fails.
 */
export interface FreshSchema {
  readonly url: string;
  remove(): Promise<void>;
  pace(): Promise<void>;
}

/** Migrated and empty. */
export async function freshSchema(server: string, driver: StoreDriver): Promise<FreshSchema> {
  const schema = unused.pop() ?? (await newSchema(server, driver));
  return {
    url: schema.url,
    remove: () => giveBack(server, schema),
    pace: async () => void (await query(server, 'SELECT pg_sleep(0.005)')),
  };
}

interface Schema {
  readonly name: string;
  readonly url: string;
  /** The tables it has from the start. */
  readonly tables: readonly string[];
}

const unused: Schema[] = [];
let made = 0;

async function newSchema(server: string, driver: StoreDriver): Promise<Schema> {
  made++;
  const name = `test_${process.pid}_${Date.now().toString(36)}_${made}`;
  const url = new URL(server);
  url.searchParams.set('schema', name);
  // By this the server knows the store's connections.
  url.searchParams.set('application_name', name);
  await driver.migrate(url.href, { dryRun: false });
  return { name, url: url.href, tables: await tablesOf(server, name) };
}

async function giveBack(server: string, schema: Schema): Promise<void> {
  const { name } = schema;
  const left = await connectionsLeft(server, name);
  if (left.length === 0) {
    await empty(server, schema);
    unused.push(schema);
    return;
  }
  await query(server, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [
    name,
  ]);
  await query(server, `DROP SCHEMA ${name} CASCADE`);
  throw new Error(`${left.length} connections of the store were left open: ${left.join('; ')}`);
}

const CLOSING_TIMEOUT_MS = 5_000;
const POLL_MS = 5;

/** What each of them ran last. The server needs a moment to see that a connection was closed. */
async function connectionsLeft(server: string, name: string): Promise<string[]> {
  const sql = 'SELECT state, query FROM pg_stat_activity WHERE application_name = $1';
  const deadline = performance.now() + CLOSING_TIMEOUT_MS;
  for (;;) {
    const rows = await query<{ state: string; query: string }>(server, sql, [name]);
    if (rows.length === 0 || performance.now() > deadline)
      return rows.map((row) => `${row.state}: ${row.query.slice(0, 200)}`);
    await delay(POLL_MS);
  }
}

/** As it was when it was made: partitions that were added are dropped, and what the layout itself wrote stays. */
async function empty(server: string, { name, tables }: Schema): Promise<void> {
  const added = (await tablesOf(server, name)).filter((table) => !tables.includes(table));
  const emptied = tables.filter((table) => table !== 'migration');
  const statements = [
    ...added.map((table) => `DROP TABLE ${name}."${table}"`),
    ...emptied.map((table) => `DELETE FROM ${name}."${table}"`),
  ];
  await query(server, statements.join(';'));
}

/** Without the partitioned ones, whose rows lie in their partitions. */
async function tablesOf(server: string, name: string): Promise<string[]> {
  const sql = "SELECT relname FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = 'r'";
  const rows = await query<{ relname: string }>(server, sql, [name]);
  return rows.map(({ relname }) => relname);
}

let pool: Promise<Pool> | undefined;

/** Over connections that keep no process alive; the driver is loaded when it is used. */
async function query<Row extends object>(server: string, sql: string, values?: unknown[]): Promise<Row[]> {
  pool ??= import('pg').then(({ default: { Pool } }) => {
    const made = new Pool({ connectionString: server, max: 2, allowExitOnIdle: true });
    made.on('error', () => {});
    return made;
  });
  return (await (await pool).query<Row>(sql, values)).rows;
}

// Here and not where a test first asks: there it would belong to that test.
after(async () => {
  const open = await pool;
  for (const { name } of unused.splice(0)) await open?.query(`DROP SCHEMA ${name} CASCADE`);
  await open?.end();
});
