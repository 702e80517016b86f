import type { Client, ClientConfig, QueryConfig } from 'pg';
import { LongshoreError } from '../../core/errors.ts';
import { namedReasonOf } from '../../core/legible.ts';
import { isMissingPackage } from '../missing-package.ts';
import { isUseless, toStoreError } from './errors.ts';
import { migrationsFolder } from './folder.ts';
import { parametersOf, TYPES } from './parameters.ts';
import type { Place } from './url.ts';

/**
 * One connection outside the pool, for what wants one of its own: migrations, the doctor, hints, the heart.
 */
export class Session {
  readonly client: Client;
  readonly #place: Place;
  #lost: LongshoreError | null = null;

  constructor(client: Client, place: Place) {
    this.client = client;
    this.#place = place;
    // Without a listener a broken connection would end the process.
    client.on('error', (error) => this.#lose(error));
    client.on('end', () => this.#lose(new Error('Connection terminated')));
  }

  /** Why the connection is of no more use; null while it is. */
  get lost(): LongshoreError | null {
    return this.#lost;
  }

  /** Rejects with a LongshoreError. Without values, `text` may hold several statements. */
  query<Row>(text: string, values?: readonly unknown[]): Promise<Row[]> {
    return this.#send<Row>(values === undefined ? { text } : { text, values: parametersOf(values) });
  }

  /** As `query`, for what takes as long as it takes. */
  patiently<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.#send<Row>({ text, values: parametersOf(values), ...UNBOUNDED });
  }

  async #send<Row>(config: QueryConfig): Promise<Row[]> {
    try {
      const { rows } = await this.client.query(config);
      return rows as Row[];
    } catch (error) {
      if (isUseless(error)) this.destroy();
      throw toStoreError(error, this.#place);
    }
  }

  /** Runs `body` in a transaction. */
  async transaction<Result>(body: () => Promise<Result>): Promise<Result> {
    await this.query('BEGIN');
    try {
      const result = await body();
      await this.query('COMMIT');
      return result;
    } catch (error) {
      await this.query('ROLLBACK').catch(() => {});
      throw error;
    }
  }

  /** Ends a connection that may be half-open: nothing is awaited from the other side. */
  destroy(): void {
    this.#lose(new Error('Connection terminated by this side'));
    (this.client as unknown as WithStream).connection.stream.destroy();
  }

  /** Lets the process end while this connection is open. */
  unref(): void {
    (this.client as unknown as WithStream).connection.stream.unref();
  }

  async close(): Promise<void> {
    if (this.#lost !== null) return;
    const timer = setTimeout(() => this.destroy(), CLOSE_MAX_MS);
    await this.client.end().catch(() => {});
    clearTimeout(timer);
  }

  #lose(error: Error): void {
    this.#lost ??= toStoreError(error, this.#place);
  }
}

/** The longest a timer can take; 0 would be the connection's own bound. */
const UNBOUNDED = { query_timeout: 2 ** 31 - 1 };

const CONNECT_MAX_MS = 5_000;

/** How long connecting may take where a statement may take `timeoutMs`, 0 for no bound. */
export function connectMs(timeoutMs: number): number {
  return timeoutMs > 0 ? Math.min(CONNECT_MAX_MS, timeoutMs) : CONNECT_MAX_MS;
}

const CLOSE_MAX_MS = 1_000;

/** The driver's types leave out what both of its versions have. */
interface WithStream {
  readonly connection: { readonly stream: { destroy(): void; unref(): void } };
}

/** `timeoutMs` bounds each statement; 0 = no bound. Rejects with a LongshoreError. */
export async function openSession(place: Place, timeoutMs: number = place.timeoutMs): Promise<Session> {
  const driver = await loadDriver();
  let session: Session;
  try {
    const client = new driver.Client(configOf(place, timeoutMs));
    session = new Session(client, place);
    await client.connect();
  } catch (error) {
    throw toStoreError(error, place);
  }
  return session;
}

type Driver = typeof import('pg').default;

export async function loadDriver(): Promise<Driver> {
  // First: a driver that was bundled as well may not load, and its advice would not help.
  migrationsFolder();
  try {
    const { default: driver } = await import('pg');
    return driver;
  } catch (cause) {
    throw new LongshoreError(
      'STORE_UNAVAILABLE',
      `A postgres: store needs the package pg (8.12 or later), which ${isMissingPackage(cause, 'pg') ? 'is not installed' : `does not load (${namedReasonOf(cause)})`}. Run: npm install pg`,
      { cause, details: { package: 'pg' } },
    );
  }
}

function configOf(place: Place, timeoutMs: number): ClientConfig {
  return {
    connectionString: place.connectionString,
    connectionTimeoutMillis: connectMs(timeoutMs),
    fallback_application_name: 'longshore',
    keepAlive: true,
    ...(timeoutMs > 0 ? { query_timeout: timeoutMs } : {}),
    types: TYPES as never,
  };
}
