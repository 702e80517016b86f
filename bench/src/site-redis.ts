import { randomBytes } from 'node:crypto';
import { createClient } from '@redis/client';
import { crash, type Fsync, type OwnServer, startRedis } from './services.ts';
import type { Place, ServerRecord, Site } from './site.ts';

/** Key prefixes on a Redis server; `url` null: a server of its own, stopped at the end. */
export async function openRedisSite(url: string | null, fsync: Fsync): Promise<Site> {
  const own = url === null ? await startRedis(fsync) : null;
  const serverUrl = own?.url ?? (url as string);
  let admin: RedisClient | null = null;
  const connected = async (): Promise<RedisClient> => {
    admin ??= await redisClient(serverUrl);
    return admin;
  };
  const close = async (): Promise<void> => {
    admin?.destroy();
    await own?.stop();
  };
  const restart = async (server: OwnServer): Promise<void> => {
    await crash(server);
    admin?.destroy();
    admin = null;
  };
  try {
    const server = await describe(await connected(), own !== null);
    return {
      server,
      restart: own === null ? null : () => restart(own),
      fresh: async () => fresh(connected, serverUrl),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

export type RedisClient = ReturnType<typeof createClient>;

/** Connected, and without a second try: what fails shall be heard of. */
export async function redisClient(url: string): Promise<RedisClient> {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  client.on('error', () => undefined);
  await client.connect();
  return client as RedisClient;
}

/** Bytes the server holds, its clients' buffers included, once what was dropped before is really gone. */
export async function usedMemoryBytes(client: RedisClient): Promise<number> {
  for (let looks = 0; ; looks += 1) {
    const memory = await client.info('memory');
    const figure = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(memory)?.[1]);
    if (figure('lazyfree_pending_objects') === 0) return figure('used_memory');
    if (looks === LOOKS_MAX) throw new Error('Redis does not finish deleting what was there before.');
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

const LOOKS_MAX = 1_000;
const LOOK_MS = 20;

function fresh(connected: () => Promise<RedisClient>, serverUrl: string): Place {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  const url = new URL(serverUrl);
  url.searchParams.set('prefix', name);
  return {
    url: url.href,
    server: { kind: 'redis', url: serverUrl, name },
    drop: async () => dropKeys(await connected(), name),
  };
}

/** Every key that has the name in it, whichever system made it. */
async function dropKeys(admin: RedisClient, name: string): Promise<void> {
  for await (const keys of admin.scanIterator({ MATCH: `*${name}*`, COUNT: 10_000 }))
    if (keys.length > 0) await admin.unlink(keys);
}

const RECORDED = ['appendonly', 'appendfsync', 'save', 'maxmemory', 'maxmemory-policy'];

async function describe(admin: RedisClient, own: boolean): Promise<ServerRecord> {
  const version = /(?:redis|valkey)_version:(\S+)/.exec(await admin.info('server'))?.[1] ?? 'unknown';
  const settings: Record<string, string> = {};
  for (const name of RECORDED) settings[name] = (await admin.configGet(name))[name] ?? '';
  return { kind: 'redis', version, own, durable: settings.appendonly === 'yes', settings };
}
