import { DatabaseSync } from 'node:sqlite';
import { createClient } from '@redis/client';
import pg from 'pg';
import { idBytes } from '../../src/store/redis/record.ts';
import type { Stage } from '../stage.ts';

/** Takes things out of a store behind its back, as damage does. */
export interface Vandal {
  /** The job is gone, and nobody was told. */
  job(id: string): Promise<void>;
  reports(plan: string): Promise<void>;
  plan(key: string): Promise<void>;
  /** Cuts the plan's value, where the store keeps that by itself; else its record. */
  cutPlan(key: string): Promise<void>;
  /** Writes over the job's meta, where the store keeps that by itself; else over its record. */
  damageMeta(id: string, change: (meta: string) => string): Promise<void>;
}

export const VANDALS = ['sqlite', 'postgres', 'redis'] as const;

export async function vandalOf({ t, kind, url }: Stage): Promise<Vandal> {
  if (kind === 'redis') return redisVandal(t, url);
  const { run, text } = kind === 'sqlite' ? sqliteDoor(t, url) : await postgresDoor(t, url);
  return {
    job: (id) => run('DELETE FROM job WHERE id = ?', id),
    reports: (plan) => run('DELETE FROM report WHERE plan = ?', plan),
    plan: (key) => run('DELETE FROM plan WHERE key = ?', key),
    cutPlan: (key) => run('UPDATE plan SET value = ? WHERE key = ?', '{"id":"', key),
    async damageMeta(id, change) {
      const meta = await text('SELECT meta FROM job WHERE id = ?', id);
      await run('UPDATE job SET meta = ? WHERE id = ?', change(meta), id);
    },
  };
}

interface Door {
  run(sql: string, ...values: string[]): Promise<void>;
  text(sql: string, value: string): Promise<string>;
}

function sqliteDoor(t: Stage['t'], url: string): Door {
  const file = new DatabaseSync(url.slice('sqlite:'.length));
  t.after(() => file.close());
  return {
    async run(sql, ...values) {
      file.prepare(sql).run(...values);
    },
    async text(sql, value) {
      return Object.values(file.prepare(sql).get(value) ?? {})[0] as string;
    },
  };
}

async function postgresDoor(t: Stage['t'], url: string): Promise<Door> {
  const at = new URL(url);
  const schema = at.searchParams.get('schema');
  at.search = '';
  const client = new pg.Client({ connectionString: at.href });
  await client.connect();
  t.after(() => client.end());
  await client.query(`SET search_path = ${schema}`);
  const numbered = (sql: string): string => {
    let nth = 0;
    return sql.replaceAll('?', () => `$${++nth}`);
  };
  return {
    async run(sql, ...values) {
      await client.query(numbered(sql), values);
    },
    async text(sql, value) {
      const { rows } = await client.query<[string]>({
        text: numbered(sql),
        values: [value],
        rowMode: 'array',
      });
      return rows[0]?.[0] as string;
    },
  };
}

async function redisVandal(t: Stage['t'], url: string): Promise<Vandal> {
  const at = new URL(url);
  const base = `{${at.searchParams.get('prefix')}}:`;
  at.search = '';
  const client = createClient({ url: at.href });
  client.on('error', () => {});
  await client.connect();
  t.after(() => client.destroy());
  const send = async (...command: (string | Buffer)[]): Promise<Buffer> =>
    (await client.sendCommand(command, { typeMapping: { 36: Buffer } })) as unknown as Buffer;
  return {
    job: async (id) => void (await send('HSET', `${base}jobs`, idBytes(id), '')),
    reports: async (plan) => void (await send('DEL', `${base}reports:${plan}`)),
    plan: async (key) => void (await send('HDEL', `${base}plans`, key)),
    async cutPlan(key) {
      const bytes = await send('HGET', `${base}plans`, key);
      await send('HSET', `${base}plans`, key, bytes.subarray(0, 30));
    },
    async damageMeta(id, change) {
      const record = (await send('HGET', `${base}jobs`, idBytes(id))).toString('latin1');
      await send('HSET', `${base}jobs`, idBytes(id), Buffer.from(change(record), 'latin1'));
    },
  };
}
