import { LongshoreError } from '../../core/errors.ts';
import { toStoreError } from './errors.ts';
import type { Listen } from './notifier.ts';
import { placeOf, type RedisAddress } from './url.ts';

/** What this file uses of the client: one for a server, one for a cluster. Loaded when a Redis store is opened. */
type Vendor = typeof import('@redis/client');
type Client = ReturnType<typeof makeServer> | ReturnType<typeof makeCluster>;

/**
 * The connection that carries commands. It connects again by itself, with a pause that grows; meanwhile calls are refused
 * at once rather than kept. When a reply takes longer than `timeoutMs`, the socket may be dead without a word: it is
 * given up with all that waits on it. Keeps the process alive only while a reply is awaited.
 */
export class Connection {
  readonly isCluster: boolean;
  readonly #vendor: Vendor;
  readonly #address: RedisAddress;
  readonly #key: string;
  #client: Client;
  #pending = 0;
  /** When the oldest reply that is awaited must be there; the time the last reply came moves it. */
  #timer: NodeJS.Timeout | null = null;
  #answeredAt = 0;
  #opened = false;
  #closed = false;

  private constructor(vendor: Vendor, address: RedisAddress, key: string) {
    this.#vendor = vendor;
    this.#address = address;
    this.#key = key;
    this.isCluster = address.cluster;
    this.#client = this.#make();
  }

  /** `key` names the slot in which all of the store lies. Rejects with a LongshoreError. */
  static async open(address: RedisAddress, key: string): Promise<Connection> {
    const connection = new Connection(await loadVendor(), address, key);
    try {
      await connection.#client.connect();
      connection.#opened = true;
    } catch (error) {
      connection.#destroy(connection.#client);
      throw toStoreError(error, address);
    }
    connection.#rest();
    return connection;
  }

  /** Strings come back as Buffers. Commands sent in one tick go in one write and apply in order. Rejects with the client's error. */
  async send(command: readonly (string | Buffer)[]): Promise<unknown> {
    if (this.#closed) throw this.#closedError();
    this.#begin();
    try {
      return await this.#sendNow(command as (string | Buffer)[]);
    } finally {
      this.#end();
    }
  }

  /** Lets what was sent come to its end. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const client = this.#client;
    await client.close().catch(() => this.#destroy(client));
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #sendNow(command: (string | Buffer)[]): Promise<unknown> {
    const client = this.#client;
    return 'slots' in client ? client.sendCommand(this.#key, false, command) : client.sendCommand(command);
  }

  #begin(): void {
    this.#pending += 1;
    if (this.#pending > 1) return;
    setRef(this.#client, true);
    this.#answeredAt = performance.now();
    this.#timer ??= setTimeout(() => this.#check(), this.#address.timeoutMs);
  }

  #end(): void {
    this.#pending -= 1;
    this.#answeredAt = performance.now();
    if (this.#pending === 0) this.#rest();
  }

  /** With nothing awaited, the process may end. */
  #rest(): void {
    setRef(this.#client, false);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #check(): void {
    this.#timer = null;
    if (this.#pending === 0) return;
    const waitedMs = performance.now() - this.#answeredAt;
    const leftMs = this.#address.timeoutMs - waitedMs;
    if (leftMs > 0) {
      this.#timer = setTimeout(() => this.#check(), leftMs);
      return;
    }
    const dead = this.#client;
    this.#client = this.#make();
    this.#client.connect().catch(() => {});
    this.#destroy(dead);
  }

  #destroy(client: Client): void {
    try {
      client.destroy();
    } catch {
      // It was not open.
    }
  }

  #make(): Client {
    const make = this.isCluster ? makeCluster : makeServer;
    // The first attempt is the caller's, who is told at once when it fails; later ones go on until the store is closed.
    const client = make(this.#vendor, this.#address, (retries) => this.#opened && pauseMs(retries));
    // Each call that fails tells its caller; an error without a listener would end the process.
    client.on('error', () => {});
    return client;
  }

  #closedError(): LongshoreError {
    return new LongshoreError('STORE_CLOSED', `The store at ${placeOf(this.#address)} was closed.`);
  }
}

async function loadVendor(): Promise<Vendor> {
  try {
    return await import('@redis/client');
  } catch (cause) {
    throw new LongshoreError(
      'STORE_UNAVAILABLE',
      'A redis: store needs the package @redis/client, which is not installed. Run: npm install @redis/client',
      { cause },
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
const PAUSE_MAX_MS = 2_000;

/** `RESP` is the same for all versions of the client; 2 is what every server speaks. */
function makeServer({ createClient, RESP_TYPES }: Vendor, address: RedisAddress, retry: Retry) {
  return createClient({
    ...optionsOf(address, retry),
    database: address.database,
    disableOfflineQueue: true,
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  });
}

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
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  });
}

/** Of one connection to a server; also for those that have another purpose. */
export function optionsOf({ host, port, tls, user, password }: RedisAddress, retry: Retry) {
  return {
    socket: {
      host,
      port,
      ...(tls ? { tls: true as const } : {}),
      connectTimeout: CONNECT_MS,
      noDelay: true,
      reconnectStrategy: retry,
    },
    ...(user === null ? {} : { username: user }),
    ...(password === null ? {} : { password }),
    RESP: 2 as const,
  };
}

function setRef(client: Client, on: boolean): void {
  if ('slots' in client) {
    for (const node of client.masters)
      if (node.client !== undefined)
        void Promise.resolve(node.client).then((one) => (on ? one.ref() : one.unref()));
    return;
  }
  if (on) client.ref();
  else client.unref();
}

/** Opens connections that hear `channel`. On a cluster, a node that has the channel's slot is found for it. */
export function listener(address: RedisAddress, channel: string): Listen {
  return async ({ message, lost }) => {
    const vendor = await loadVendor();
    let opened = false;
    const client = (address.cluster ? makeCluster : makeServer)(vendor, address, () => false);
    const onLost = () => {
      if (opened) lost();
      opened = false;
    };
    client.on('error', onLost);
    client.on('terminated', onLost);
    client.on('end', onLost);
    const destroy = () => {
      opened = false;
      try {
        client.destroy();
      } catch {
        // It was not open.
      }
    };
    try {
      await client.connect();
      const hear = (text: string | Buffer) => message(text.toString());
      if ('slots' in client) await client.sSubscribe(channel, hear);
      else await client.subscribe(channel, hear);
    } catch (error) {
      destroy();
      throw error;
    }
    opened = true;
    setRef(client, false);
    const ping = () => ('slots' in client ? Promise.resolve() : client.ping());
    return { ping, destroy };
  };
}
