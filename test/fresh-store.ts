import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '@redis/client';
import { Pool } from 'pg';
import { isPicked } from '../setup/services/for-tests.mjs';
import type { StoreDriver } from '../src/store/store.ts';
import { type SharedServer, sharedServer } from './servers.ts';

/**
 * A place for a new store of each kind: a temporary file, or a schema or a prefix on the server that all tests share.
 * Removing it fails where a connection to it was left open.
 */
export interface FreshStore {
  readonly url: string;
  readonly driver: StoreDriver;
  remove(): Promise<void>;
}

export const STORE_KINDS = ['memory', 'sqlite', 'postgres', 'redis'] as const;

export type StoreKind = (typeof STORE_KINDS)[number];

/** Those in STORES (comma-separated); all without it. */
export const PICKED_KINDS: readonly StoreKind[] = STORE_KINDS.filter(isPicked);

/** Why there can be no store of this kind here; undefined where there can. */
export async function missingFor(kind: StoreKind): Promise<string | undefined> {
  return (await serverFor(kind)).missing;
}

/** Empty and ready to be opened. */
export async function freshStore(kind: StoreKind): Promise<FreshStore> {
  const { url, missing } = await serverFor(kind);
  if (missing !== undefined) throw new Error(missing);
  const driver = await DRIVERS[kind]();
  return { driver, ...(await MAKE[kind](url, driver)) };
}

const DRIVERS: Readonly<Record<StoreKind, () => Promise<StoreDriver>>> = {
  memory: async () => (await import('../src/store/memory/index.ts')).memoryDriver,
  sqlite: async () => (await import('../src/store/sqlite/index.ts')).sqliteDriver,
  postgres: async () => (await import('../src/store/postgres/index.ts')).postgresDriver,
  redis: async () => (await import('../src/store/redis/index.ts')).redisDriver,
};

async function serverFor(kind: StoreKind): Promise<SharedServer> {
  return kind === 'postgres' || kind === 'redis' ? sharedServer(kind) : { url: '' };
}

type Make = (server: string, driver: StoreDriver) => Promise<Omit<FreshStore, 'driver'>>;

const MAKE: Readonly<Record<StoreKind, Make>> = {
  memory: async () => ({ url: 'memory:', remove: async () => {} }),

  async sqlite() {
    const folder = await mkdtemp(join(tmpdir(), 'longshore-'));
    const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
    return { url: `sqlite:${join(folder, 'jobs.db')}`, remove };
  },

  async postgres(server, driver) {
    const schema = uniqueName();
    const url = withOptions(server, { schema, application_name: schema });
    await driver.migrate(url, { dryRun: false });
    return { url, remove: () => removeSchema(server, schema) };
  },

  async redis(server) {
    const prefix = uniqueName();
    return { url: withOptions(server, { prefix }), remove: () => removeKeys(server, `{${prefix}}:`) };
  },
};

let made = 0;

function uniqueName(): string {
  made++;
  return `test_${process.pid}_${Date.now().toString(36)}_${made}`;
}

function withOptions(server: string, options: Readonly<Record<string, string>>): string {
  const url = new URL(server);
  for (const [name, value] of Object.entries(options)) url.searchParams.set(name, value);
  return url.href;
}

const CLOSING_TIMEOUT_MS = 5_000;
const POLL_MS = 5;

const pools = new Map<string, Pool>();

/** One connection a file, which keeps no process alive. */
function poolFor(server: string): Pool {
  const found = pools.get(server);
  if (found !== undefined) return found;
  const pool = new Pool({ connectionString: server, max: 2, allowExitOnIdle: true });
  pool.on('error', () => {});
  pools.set(server, pool);
  return pool;
}

async function removeSchema(server: string, schema: string): Promise<void> {
  const pool = poolFor(server);
  const left = await connectionsLeft(pool, schema);
  if (left.length > 0) await pool.query(ENDED, [schema]);
  await pool.query(`DROP SCHEMA ${schema} CASCADE`);
  if (left.length > 0)
    throw new Error(`${left.length} connections of the store were left open: ${left.join('; ')}`);
}

const OPEN = 'SELECT state, query FROM pg_stat_activity WHERE application_name = $1';
const ENDED = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1';

/** What each of them ran last. The server needs a moment to see that a connection was closed. */
async function connectionsLeft(pool: Pool, schema: string): Promise<string[]> {
  const deadline = performance.now() + CLOSING_TIMEOUT_MS;
  for (;;) {
    const { rows } = await pool.query<{ state: string; query: string }>(OPEN, [schema]);
    if (rows.length === 0 || performance.now() > deadline)
      return rows.map(({ state, query }) => `${state}: ${query.slice(0, 200)}`);
    await delay(POLL_MS);
  }
}

async function removeKeys(server: string, start: string): Promise<void> {
  const client = await clientFor(server);
  for await (const keys of client.scanIterator({ MATCH: `${start}*`, COUNT: 1_000 }))
    if (keys.length > 0) await client.unlink(keys);
}

const clients = new Map<string, ReturnType<typeof connectedClient>>();

/** One a file, which keeps no process alive. The driver takes 50 ms for each one that is not like the one before. */
function clientFor(server: string): ReturnType<typeof connectedClient> {
  const client = clients.get(server) ?? connectedClient(server);
  clients.set(server, client);
  return client;
}

async function connectedClient(server: string) {
  const client = createClient({ url: server });
  client.on('error', () => {});
  await client.connect();
  client.unref();
  return client;
}
