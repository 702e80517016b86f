import type { StoreDriver } from '../store.ts';
import { openStore } from './open.ts';

/**
 * The Redis store: `redis://host:6379?prefix=longshore`, also on Valkey and on a cluster of either.
 *
 * In the data path it stands behind the contract (store.ts). A call goes from open.ts to its verb's module, which writes it
 * as bytes (wire.ts) and calls one script (scripts.ts, lua/) over one connection (connection.ts): a verb is one round
 * trip, and since the server runs one script at a time, it is atomic. Calls of one tick go in one write. Hints travel by
 * publish/subscribe (notifier.ts); beats have a connection and a thread of their own (keep-alive.ts). Where things lie:
 * keys.ts; what a job looks like there: record.ts. Nothing here decides what an outcome means: the settle rule does.
 */
export const redisDriver: StoreDriver = {
  open: (url, options) => openStore(url, options),
  migrate: async (url, options) => (await import('./errands.ts')).migrateStore(url, options),
  doctor: async (url, options = { repair: false }) =>
    (await import('./errands.ts')).examineStore(url, options),
};
