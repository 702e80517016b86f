import pg from 'pg';
import type { ServerPlace } from '../site.ts';
import { redisClient } from '../site-redis.ts';
import { round } from '../spread.ts';

/** What work costs the server, seen from outside: write-ahead log, buffers dirtied, Redis's processor time and memory. */
export interface ServerCosts {
  /** Since this was asked last, for each of so many jobs. */
  since(jobs: number): Promise<Readonly<Record<string, number>>>;
}

/** Names of figures, as trials give them. */
const NONE: ServerCosts = { since: async () => ({}) };

export async function serverCosts(server: ServerPlace | null): Promise<ServerCosts> {
  if (server === null) return NONE;
  const look = server.kind === 'postgres' ? postgresCounters(server.url) : redisCounters(server.url);
  let before = await look();
  return {
    async since(jobs) {
      const now = await look();
      const costs = Object.entries(now).map(([name, value]) => [
        `${name}PerJob`,
        round((value - (before[name] ?? 0)) / jobs),
      ]);
      before = now;
      return Object.fromEntries(costs);
    },
  };
}

type Counters = Readonly<Record<string, number>>;

/** A connection for each look: none is open while something is measured. */
function postgresCounters(url: string): () => Promise<Counters> {
  return async () => {
    const client = new pg.Client({ connectionString: url, application_name: 'longshore bench' });
    await client.connect();
    try {
      const { rows } = await client.query(
        "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS bytes",
      );
      return { walBytes: rows[0].bytes };
    } finally {
      await client.end();
    }
  };
}

function redisCounters(url: string): () => Promise<Counters> {
  return async () => {
    const client = await redisClient(url);
    try {
      const info = await client.info();
      const figure = (name: string): number =>
        Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? 0);
      return {
        serverMicros: 1e6 * (figure('used_cpu_user') + figure('used_cpu_sys')),
        memoryBytes: figure('used_memory'),
      };
    } finally {
      client.destroy();
    }
  };
}
