import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { crash, type OwnServer, startPostgres } from './services.ts';
import type { Place, ServerRecord, Site } from './site.ts';

/** Schemas on a PostgreSQL server; `url` null: a server of its own, stopped at the end. */
export async function openPostgresSite(url: string | null): Promise<Site> {
  const own = url === null ? await startPostgres() : null;
  const serverUrl = own?.url ?? (url as string);
  let admin: pg.Client | null = null;
  const connected = async (): Promise<pg.Client> => {
    admin ??= await connect(serverUrl);
    return admin;
  };
  const end = async (): Promise<void> => {
    await admin?.end().catch(() => undefined);
    admin = null;
  };
  const close = async (): Promise<void> => {
    await end();
    await own?.stop();
  };
  const restart = async (server: OwnServer): Promise<void> => {
    await crash(server);
    await end();
  };
  try {
    const server = await describe(await connected(), own !== null);
    return {
      server,
      restart: own === null ? null : () => restart(own),
      fresh: () => fresh(connected, serverUrl),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function connect(connectionString: string): Promise<pg.Client> {
  const admin = new pg.Client({ connectionString, application_name: 'longshore bench' });
  // A server that goes away shows in the next statement.
  admin.on('error', () => undefined);
  await admin.connect();
  // Sessions of a program that was killed may hold locks for a moment; for ever would hang the command.
  await admin.query("SET lock_timeout = '20s'");
  return admin;
}

async function fresh(connected: () => Promise<pg.Client>, serverUrl: string): Promise<Place> {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  // What earlier measurements wrote is not paid for by this one. Only superusers may do this; elsewhere it stays undone.
  const admin = await connected();
  await admin.query('CHECKPOINT').catch(() => undefined);
  const url = new URL(serverUrl);
  url.searchParams.set('schema', name);
  url.searchParams.set('migrate', 'auto');
  return {
    url: url.href,
    server: { kind: 'postgres', url: serverUrl, name },
    async drop() {
      await (await connected()).query(`DROP SCHEMA IF EXISTS "${name}" CASCADE`);
    },
  };
}

const RECORDED = [
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'shared_buffers',
  'max_wal_size',
  'wal_level',
  'jit',
];

async function describe(admin: pg.Client, own: boolean): Promise<ServerRecord> {
  const { rows } = await admin.query(
    "SELECT name, current_setting(name) AS value FROM pg_settings WHERE name = ANY($1) OR name = 'server_version'",
    [RECORDED],
  );
  const settings: Record<string, string> = Object.fromEntries(rows.map(({ name, value }) => [name, value]));
  const { server_version: version = 'unknown', ...others } = settings;
  const durable = others.fsync === 'on' && others.synchronous_commit !== 'off';
  return { kind: 'postgres', version, own, durable, settings: others };
}
