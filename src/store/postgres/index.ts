import type { StoreDriver } from '../store.ts';
import { migratePlace } from './migrate.ts';
import { openStore } from './open.ts';
import { placeOf } from './url.ts';

/**
 * The store for fleets: `postgres://host/database?schema=longshore` is a schema of a PostgreSQL database, 12 or later.
 *
 * In the data path it stands behind the contract (store.ts). A call goes to the channel (channel.ts), which gathers
 * calls into one transaction (transact.ts) on a connection of a pool (connection.ts), of verbs (verbs.ts; a file each).
 * The hot ones are one SQL function each (migrations/), so that a batch is one statement and one round trip. Jobs that
 * end move to a table of their own (history.ts). Wake-ups between processes: hint-pacer.ts, hint-sender.ts and notifier.ts. Heartbeats
 * have a connection of their own (keep-alive.ts). Errors name the server and a remedy (errors.ts).
 */
export const postgresDriver: StoreDriver = {
  borrows: true,
  open: (url, options) => openStore(url, options),
  migrate: (url, options) => migratePlace(placeOf(url), options),
  doctor: async (url, options) => (await import('./doctor.ts')).examinePlace(placeOf(url), options),
};
