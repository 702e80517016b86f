import { LongshoreError } from '../../core/errors.ts';
import { namedReasonOf } from '../../core/legible.ts';
import { isMissingPackage } from '../missing-package.ts';
import type { TalkLine } from '../talk.ts';
import { scriptsFolder } from './folder.ts';
import type { Listen } from './notifier.ts';
import type { RedisAddress } from './url.ts';

/**
 * Makes clients of `@redis/client`, an optional peer that is loaded when a Redis store is opened: one for a server, one for
 * a cluster. Whoever makes one says whether and when it connects again.
 */
export type Vendor = typeof import('@redis/client');
export type Client = ReturnType<typeof makeServer> | ReturnType<typeof makeCluster>;

export function makeClient(vendor: Vendor, address: RedisAddress, retry: Retry): Client {
  const client = (address.cluster ? makeCluster : makeServer)(vendor, address, retry);
  // Each call that fails tells its caller; an error without a listener would end the process.
  client.on('error', () => {});
  return client;
}

export function destroyClient(client: Client): void {
  try {
    client.destroy();
  } catch {
    // It was not open.
  }
}

export async function loadVendor(): Promise<Vendor> {
  // First: a driver that was bundled as well may not load, and its advice would not help.
  scriptsFolder();
  try {
    return await import('@redis/client');
  } catch (cause) {
    throw new LongshoreError(
      'STORE_UNAVAILABLE',
      `A redis: store needs the package @redis/client, which ${isMissingPackage(cause, '@redis/client') ? 'is not installed' : `does not load (${namedReasonOf(cause)})`}. Run: npm install @redis/client`,
      { cause, details: { package: '@redis/client' } },
    );
  }
}

/** How long to wait before the next attempt to connect, in ms; false for none. */
export type Retry = (retries: number) => number | false;

/** From 50 ms to 2 s, with jitter, so that a restarted server does not meet all its clients at once. */
export function pauseMs(retries: number): number {
  return Math.min(50 * 2 ** Math.min(retries, 10), PAUSE_MAX_MS) * (0.5 + Math.random() / 2);
}

const CONNECT_MS = 5_000;
/** The longest pause between attempts. */
export const PAUSE_MAX_MS = 2_000;

/**
 * `RESP` is the same for all versions of the client; 2 is what every server speaks. The bare class, since `createClient`
 * gives it a method for each command of Redis first, of which none is used here: 20 MB of an idle worker, both threads together.
 */
function makeServer(
  { RedisClient, createClient, RESP_TYPES }: AnyVendor,
  address: RedisAddress,
  retry: Retry,
) {
  const options = {
    ...optionsOf(address, retry),
    database: address.database,
    disableOfflineQueue: true,
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer }, ...PATIENT },
  };
  return RedisClient === undefined ? createClient(options) : new RedisClient(options);
}

/** Version 5 does not export the class. */
type AnyVendor = Omit<Vendor, 'RedisClient'> & Partial<Pick<Vendor, 'RedisClient'>>;

function makeCluster({ createCluster, RESP_TYPES }: Vendor, address: RedisAddress, retry: Retry) {
  const { username, password, socket } = optionsOf(address, retry);
  return createCluster({
    rootNodes: [{ socket: { ...socket, host: address.host, port: address.port } as never }],
    defaults: {
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      socket: socket as never,
      disableOfflineQueue: true,
    },
    RESP: 2,
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer }, ...PATIENT },
  });
}

/**
 * No bound on how long a command waits to be written, which version 6 sets: behind hundreds of megabytes it may be long. The
 * connection itself is given up when no reply comes (connection.ts).
 */
const PATIENT = { timeout: 0 };

/** How long an attempt to connect may take. */
export function connectMs({ timeoutMs }: RedisAddress): number {
  return Math.min(CONNECT_MS, timeoutMs);
}

/** Of one connection to a server; also for those that have another purpose. */
export function optionsOf(address: RedisAddress, retry: Retry) {
  const { host, port, tls, user, password } = address;
  return {
    socket: {
      host,
      port,
      ...(tls ? { tls: true as const } : {}),
      connectTimeout: connectMs(address),
      noDelay: true,
      reconnectStrategy: retry,
    },
    ...(user === null ? {} : { username: user }),
    ...(password === null ? {} : { password }),
    RESP: 2 as const,
  };
}

export function setRef(client: Client, on: boolean): void {
  if ('slots' in client) {
    for (const node of client.masters)
      if (node.client !== undefined)
        void Promise.resolve(node.client).then((one) => (on ? one.ref() : one.unref()));
    return;
  }
  if (on) client.ref();
  else client.unref();
}

/** Opens connections that hear `channel`, and when asked for `settled` its neighbour. On a cluster, a node that has the channel's slot is found for it. */
export function listener(address: RedisAddress, channel: string): Listen {
  return async ({ message, said, lost }) => {
    const vendor = await loadVendor();
    let opened = false;
    const client = makeClient(vendor, address, () => false);
    const onLost = () => {
      if (opened) lost();
      opened = false;
    };
    client.on('error', onLost);
    client.on('terminated', onLost);
    client.on('end', onLost);
    const destroy = () => {
      opened = false;
      destroyClient(client);
    };
    // What accepts the connection need not be a server that answers.
    const timer = setTimeout(destroy, connectMs(address)).unref();
    const hear = async (name: string, tell = message): Promise<void> => {
      const told = (text: string | Buffer) => tell(text.toString());
      if ('slots' in client) await client.sSubscribe(name, told);
      else await client.subscribe(name, told);
    };
    const hearLine = async (line: TalkLine, on: boolean): Promise<void> => {
      const name = talkChannel(channel, line);
      if (on) await hear(name, (text) => said(line, text));
      else if ('slots' in client) await client.sUnsubscribe(name);
      else await client.unsubscribe(name);
    };
    try {
      await client.connect();
      await hear(channel);
    } catch (error) {
      destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    opened = true;
    setRef(client, false);
    const ping = () => ('slots' in client ? Promise.resolve() : client.sendCommand(['PING']));
    return { ping, destroy, hearSettled: () => hear(settledChannel(channel)), hearLine };
  };
}

/** Beside the channel of hints. */
export function talkChannel(channel: string, line: TalkLine): string {
  return `${channel}:${line}`;
}

/** Of the channel that has the other topics; lua/_begin.lua publishes to both. */
function settledChannel(channel: string): string {
  return `${channel}:settled`;
}
