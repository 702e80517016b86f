import { LongshoreError, show } from './core/errors.ts';
import { withoutPassword } from './core/redact.ts';
import type { StoreDriver } from './store/store.ts';

/** The stores there are, by the beginning of their URLs: the only place that knows concrete ones. Each is loaded when it is used. */
const DRIVERS: Readonly<Record<string, () => Promise<StoreDriver>>> = {
  memory: async () => (await import('./store/memory/index.ts')).memoryDriver,
  sqlite: async () => (await import('./store/sqlite/index.ts')).sqliteDriver,
  postgres,
  postgresql: postgres,
  redis,
  rediss: redis,
  valkey: redis,
  valkeys: redis,
};

async function postgres(): Promise<StoreDriver> {
  return (await import('./store/postgres/index.ts')).postgresDriver;
}

async function redis(): Promise<StoreDriver> {
  return (await import('./store/redis/index.ts')).redisDriver;
}

/** The driver for a URL's kind of store. Throws STORE_URL_INVALID. */
export async function storeDriver(url: string): Promise<StoreDriver> {
  const kinds = Object.keys(DRIVERS).map((kind) => `${kind}:`);
  if (typeof url !== 'string' || !/^[a-z][a-z0-9+]*:/.test(url)) {
    // A URL that is no URL may have a password all the same.
    const shown = show(typeof url === 'string' ? withoutPassword(url) : url);
    throw new LongshoreError(
      'STORE_URL_INVALID',
      `The store URL is ${shown}; expected one that starts with ${kinds.join(', ')}, e.g. sqlite:jobs.db.`,
      {
        details: { url: shown },
      },
    );
  }
  const kind = url.slice(0, url.indexOf(':'));
  const load = Object.hasOwn(DRIVERS, kind) ? DRIVERS[kind] : undefined;
  if (load === undefined) {
    throw new LongshoreError(
      'STORE_URL_INVALID',
      `There is no store of kind ${show(kind)}; this version knows ${kinds.join(', ')}.`,
      {
        details: { kind, kinds },
      },
    );
  }
  return load();
}
