import { setTimeout as delay } from 'node:timers/promises';

/** Prefixes for tests on the Redis server they share. */
export interface FreshPrefix {
  readonly url: string;
  remove(): Promise<void>;
  pace(): Promise<void>;
}

/** There are no keys that start with it. */
export function freshPrefix(server: string): FreshPrefix {
  made++;
  const prefix = `test_${process.pid}_${Date.now().toString(36)}_${made}`;
  const url = new URL(server);
  url.searchParams.set('prefix', prefix);
  return {
    url: url.href,
    remove: () => removeKeys(server, `{${prefix}}:`),
    pace: () => roundTrip(server),
  };
}

let made = 0;

async function removeKeys(server: string, start: string): Promise<void> {
  const connected = await clientFor(server);
  for await (const keys of connected.scanIterator({ MATCH: `${start}*`, COUNT: 1_000 }))
    if (keys.length > 0) await connected.unlink(keys);
}

const PACE_MS = 2;

async function roundTrip(server: string): Promise<void> {
  await delay(PACE_MS);
  await (await clientFor(server)).ping();
}

function clientFor(server: string): ReturnType<typeof connectedClient> {
  client ??= connectedClient(server);
  return client;
}

let client: ReturnType<typeof connectedClient> | undefined;

/** One a file, which keeps no process alive. The driver takes 50 ms for each one that is not like the one before. */
async function connectedClient(server: string) {
  const { createClient } = await import('@redis/client');
  const connecting = createClient({ url: server });
  connecting.on('error', () => {});
  await connecting.connect();
  connecting.unref();
  return connecting;
}
