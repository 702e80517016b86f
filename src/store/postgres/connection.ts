import { LongshoreError } from '../../core/errors.ts';
import { isUseless, toStoreError, whereIs } from './errors.ts';
import { Lent, type PoolClient } from './lent.ts';
import { requireReady } from './migrate.ts';
import { Places } from './places.ts';
import { connectMs, loadDriver } from './session.ts';
import { type Place, quoted } from './url.ts';
import { warmUp } from './warm-up.ts';

/** What a driver's pool must have; `pg.Pool` does, of whatever copy of the package. */
export interface ClientPool {
  connect(): Promise<PoolClient>;
  readonly totalCount?: number;
}

interface OwnPool {
  on(event: 'remove', listener: () => void): unknown;
}

export interface ConnectionsOptions {
  readonly place: Place;
  /** A pool to borrow connections from; never closed. */
  readonly borrowed?: ClientPool | undefined;
  /** Not more than this many; default `place.max`. */
  readonly max?: number;
}

/** The store's connections: a pool of its own, or one that is borrowed. Errors come out as LongshoreErrors, but for the server's own inside `use`. */
export class Connections {
  readonly max: number;
  readonly place: Place;
  readonly #pool: ClientPool & { end?(): Promise<void> };
  readonly #own: boolean;
  /** Of a pool of its own; a borrowed one sees to its connections itself. */
  readonly #places: Places;
  #prepares = false;

  private constructor(options: ConnectionsOptions, pool: ClientPool | (ClientPool & OwnPool)) {
    this.place = options.place;
    this.max = options.max ?? options.place.max;
    this.#pool = pool;
    this.#own = options.borrowed === undefined;
    this.#places = new Places(this.#own ? 1 : this.max, this.max, () => this.#openOne());
    if (this.#own) (pool as OwnPool).on('remove', () => this.#places.shrink());
  }

  static async open(options: ConnectionsOptions): Promise<Connections> {
    const { place, borrowed } = options;
    const connections = new Connections(options, borrowed ?? (await newPool(options)));
    try {
      await connections.use((lent) => connections.#examine(lent));
    } catch (error) {
      await connections.close();
      throw toStoreError(error, place);
    }
    return connections;
  }

  /** True behind a pooler that gives each transaction another connection: nothing may be left on one. */
  get stateless(): boolean {
    return !this.#prepares;
  }

  /** How many calls of `use` get a connection at once now. */
  get places(): number {
    return this.#places.count;
  }

  /** There is use for one place more; `then` is called when it is there. */
  grow(then: () => void): void {
    this.#places.grow(then);
  }

  /** Lends a connection. It is given up when `use` rejects with an error of the connection, or took too long. */
  async use<Result>(run: (session: Lent) => Promise<Result>): Promise<Result> {
    const place = this.#places.take();
    if (place !== null) await place;
    try {
      return await this.#lend(run);
    } finally {
      this.#places.leave();
    }
  }

  async #lend<Result>(run: (session: Lent) => Promise<Result>): Promise<Result> {
    const client = await this.#connect();
    const session = new Lent(client, { ...this.place, prepares: this.#prepares });
    let fault: Error | undefined;
    // Without a listener an error of a lent connection would end the process; its statements are rejected anyway.
    const listener = (error: Error): void => {
      fault = error;
    };
    client.on('error', listener);
    try {
      return await run(session);
    } catch (error) {
      if (session.expired || session.spoilt || isUseless(error) || !session.idle) fault ??= error as Error;
      throw session.expired ? tooSlow(this.place) : error;
    } finally {
      session.close();
      client.removeListener('error', listener);
      client.release(fault ?? false);
    }
  }

  async close(): Promise<void> {
    await this.#places.quiet();
    if (this.#own) await this.#pool.end?.();
  }

  /** When all others are lent. Where warming up fails, it is a connection all the same. */
  async #openOne(): Promise<void> {
    if (this.#own && !this.stateless)
      await this.#lend((lent) => warmUp(lent, quoted(this.place.schema)).catch(() => undefined));
  }

  /** A borrowed pool may have no free connection for as long as it likes, and its connections may take for ever to open. */
  async #connect(): Promise<PoolClient> {
    let timer: NodeJS.Timeout | undefined;
    let late = false;
    const waited = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        late = true;
        reject(noneFree(this.place, this.#pool));
      }, this.place.timeoutMs);
    });
    try {
      return await Promise.race([this.#take(() => late), waited]);
    } catch (error) {
      throw toStoreError(error, this.place);
    } finally {
      clearTimeout(timer);
    }
  }

  /** One that comes when nobody waits for it any more goes back at once. */
  async #take(isLate: () => boolean): Promise<PoolClient> {
    const client = await this.#pool.connect();
    if (isLate()) client.release();
    return client;
  }

  /** A pooler makes up the process number it greets with. */
  async #examine(lent: Lent): Promise<void> {
    const { pid } = await requireReady(lent, this.place);
    this.#prepares = !(this.place.pgbouncer ?? (lent.processId !== null && lent.processId !== pid));
  }
}

async function newPool({ place, max }: ConnectionsOptions): Promise<ClientPool> {
  const { Pool } = await loadDriver();
  const pool = new Pool({
    connectionString: place.connectionString,
    max: max ?? place.max,
    connectionTimeoutMillis: connectMs(place.timeoutMs),
    idleTimeoutMillis: 60_000,
    allowExitOnIdle: true,
    keepAlive: true,
    // Known to the driver since 8.23; older ones send a statement after the other.
    ...{ pipeline: true },
  });
  // Of idle connections that broke: the pool has let them go already.
  pool.on('error', () => {});
  // The pool listens to the idle ones and `use` to those it lends, but the end may come with the greeting, in between.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool as unknown as ClientPool;
}

function noneFree(place: Place, { totalCount }: ClientPool): LongshoreError {
  const open = typeof totalCount === 'number' ? ` (it has ${totalCount})` : '';
  return new LongshoreError(
    'STORE_UNAVAILABLE',
    `${whereIs(place)}: the pool gave no connection within ${place.timeoutMs} ms${open}. Look for code that keeps connections of it, or give it more; ?timeoutMs= in the store's URL sets how long to wait.`,
    { details: { timeoutMs: place.timeoutMs } },
  );
}

function tooSlow(place: Place): LongshoreError {
  return new LongshoreError(
    'STORE_UNAVAILABLE',
    `${whereIs(place)} did not answer within ${place.timeoutMs} ms. Look for what holds it up; ?timeoutMs= in the store's URL sets how long to wait.`,
    { details: { timeoutMs: place.timeoutMs } },
  );
}
