import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '@redis/client';
import pg from 'pg';
import type { JobContext } from '../../../src/index.ts';

/**
 * What handlers do to the world, in a table of the user's own: a row for each effect of a step's handler. Where the store takes
 * part in transactions it is written in that of the job's end; elsewhere by itself, and again where the server was away.
 */
export interface Effects {
  /** An effect is there exactly once; elsewhere at least once. */
  readonly once: boolean;
  /** Resolves to the job's result, 1, when it is written. */
  add(context: JobContext<unknown>): Promise<number>;
  /** How often each job had its effect. */
  counts(): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

export async function openEffects(url: string): Promise<Effects> {
  const { protocol } = new URL(url);
  if (protocol === 'sqlite:') return inSqlite(url.slice('sqlite:'.length));
  return protocol === 'redis:' ? inRedis(url) : inPostgres(url);
}

function inSqlite(file: string): Effects {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA busy_timeout = 20000');
  database.exec('CREATE TABLE IF NOT EXISTS effect (job TEXT NOT NULL) STRICT');
  const add = database.prepare('INSERT INTO effect VALUES (?)');
  return {
    once: true,
    add: (context) => context.transaction(database, () => Number(add.run(context.id).changes)),
    counts: async () =>
      new Map(
        database
          .prepare('SELECT job, count(*) AS times FROM effect GROUP BY job')
          .all()
          .map(({ job, times }) => [job as string, times as number]),
      ),
    close: async () => database.close(),
  };
}

async function inPostgres(url: string): Promise<Effects> {
  const { searchParams } = new URL(url);
  const server = new URL(url);
  server.search = '';
  const table = `"${searchParams.get('schema')}_effects"`;
  const pool = new pg.Pool({ connectionString: server.href, max: 2 });
  pool.on('error', () => undefined);
  // Several processes make it at a time.
  await insist(() => pool.query(`CREATE TABLE IF NOT EXISTS ${table} (job text NOT NULL)`));
  return {
    once: true,
    add: (context) =>
      context.transaction(pool, async (tx) => {
        await tx.query(`INSERT INTO ${table} VALUES ($1)`, [context.id]);
        return 1;
      }),
    counts: async () => {
      const { rows } = await pool.query(`SELECT job, count(*)::integer AS times FROM ${table} GROUP BY job`);
      return new Map(rows.map(({ job, times }) => [job, times]));
    },
    close: () => pool.end(),
  };
}

async function inRedis(url: string): Promise<Effects> {
  const server = new URL(url);
  const key = `${server.searchParams.get('prefix')}-effects`;
  server.search = '';
  const client = createClient({ url: server.href });
  client.on('error', () => undefined);
  await client.connect();
  return {
    once: false,
    async add({ id }) {
      await insist(() => client.hIncrBy(key, id, 1));
      return 1;
    },
    counts: async () =>
      new Map(Object.entries(await client.hGetAll(key)).map(([job, times]) => [job, Number(times)])),
    close: async () => client.destroy(),
  };
}

/** A server that was killed is back soon; a test that hangs is ended by its own time limit. */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch {
      await delay(20);
    }
  }
}
