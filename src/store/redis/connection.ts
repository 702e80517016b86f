import { setTimeout as pause } from 'node:timers/promises';
import { LongshoreError } from '../../core/errors.ts';
import {
  type Client,
  connectMs,
  destroyClient,
  loadVendor,
  makeClient,
  PAUSE_MAX_MS,
  pauseMs,
  setRef,
  type Vendor,
} from './client.ts';
import { isReadOnly, toStoreError } from './errors.ts';
import { placeOf, type RedisAddress } from './url.ts';

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
  /** When the client last tried something to get connected. */
  #stirredAt = 0;
  #quietMaxMs = 0;
  #opened = false;
  #closed = false;
  #connects = 0;

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
      await connection.#connect();
      connection.#opened = true;
    } catch (error) {
      destroyClient(connection.#client);
      throw toStoreError(error, address);
    }
    connection.#rest();
    return connection;
  }

  /** Grows with every connection that is made: behind it may be a server that knows nothing of what was sent before. */
  get connects(): number {
    return this.#connects;
  }

  /** Strings come back as Buffers. Commands sent in one tick go in one write and apply in order. Rejects with the client's error. */
  async send(command: readonly (string | Buffer)[]): Promise<unknown> {
    const until = performance.now() + Math.min(FAILOVER_MS, this.#address.timeoutMs);
    for (;;) {
      if (this.#closed) throw this.#closedError();
      this.#begin();
      try {
        return await this.#sendNow(command as (string | Buffer)[]);
      } catch (error) {
        if (!isReadOnly(error)) throw error;
        this.#leaveReplica();
        if (performance.now() >= until) throw error;
      } finally {
        this.#end();
      }
      // Nothing was written, and after a failover another connection leads to the new primary.
      await pause(FAILOVER_PAUSE_MS);
      await this.returned(until - performance.now());
    }
  }

  /** Resolves once it is connected, to whether it is within `waitMs`. */
  async returned(waitMs: number): Promise<boolean> {
    const client = this.#client;
    if (this.#closed) return false;
    // A cluster's client finds its nodes by itself when it is called.
    if ('slots' in client || client.isReady) return true;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, waitMs);
    client.once('ready', resolve);
    await promise;
    clearTimeout(timer);
    client.off('ready', resolve);
    return client.isReady && !this.#closed;
  }

  /** Lets what was sent come to its end. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const client = this.#client;
    // What is not connected has nothing to wait for, and might never be.
    if ('slots' in client || client.isReady) await client.close().catch(() => destroyClient(client));
    else destroyClient(client);
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** The first time. What accepts the connection need not be a server that answers. */
  async #connect(): Promise<void> {
    const client = this.#client;
    const timer = setTimeout(() => destroyClient(client), this.#address.timeoutMs);
    try {
      await client.connect();
    } finally {
      clearTimeout(timer);
    }
  }

  #sendNow(command: (string | Buffer)[]): Promise<unknown> {
    this.#reviveStuck();
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
    this.#replace();
  }

  #make(): Client {
    // The first attempt is the caller's, who is told at once when it fails; later ones go on until the store is closed.
    const client = makeClient(this.#vendor, this.#address, (retries) => this.#opened && pauseMs(retries));
    for (const event of ['connect', 'reconnecting', 'error'])
      client.on(event as 'error', () => {
        this.#stirredAt = performance.now();
      });
    client.on('ready', () => {
      this.#connects += 1;
    });
    this.#stirredAt = performance.now();
    this.#quietMaxMs = Math.max(connectMs(this.#address), PAUSE_MAX_MS) + QUIET_EXTRA_MS;
    return client;
  }

  /** A server that accepts the connection and then says nothing would be waited for without end: another one is tried. */
  #reviveStuck(): void {
    const client = this.#client;
    if ('slots' in client || client.isReady) return;
    if (performance.now() - this.#stirredAt > this.#quietMaxMs) this.#replace();
  }

  /** The server is a replica now, after a failover: the name in the URL may lead to the new primary. */
  #leaveReplica(): void {
    if (this.isCluster || this.#closed || performance.now() - this.#stirredAt < PAUSE_MAX_MS) return;
    this.#replace();
  }

  #replace(): void {
    const dead = this.#client;
    if (this.#closed) {
      destroyClient(dead);
      return;
    }
    this.#client = this.#make();
    this.#client.connect().catch(() => {});
    destroyClient(dead);
  }

  #closedError(): LongshoreError {
    return new LongshoreError('STORE_CLOSED', `The store at ${placeOf(this.#address)} was closed.`);
  }
}

/** How long a server that takes no writes any more is asked again, over new connections, and how often. */
const FAILOVER_MS = 5_000;
const FAILOVER_PAUSE_MS = 100;

/** On top of the longest time for which a client that connects is silent. */
const QUIET_EXTRA_MS = 1_000;
