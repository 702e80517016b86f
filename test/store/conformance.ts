import { describe, test } from 'node:test';
import fastCheck from 'fast-check';
import { storeConformance } from '../../src/testing/index.ts';
import { freshStore, missingFor, PICKED_KINDS, type StoreKind } from '../fresh-store.ts';
import { openUserDatabase, type UserDatabase } from '../user-database.ts';

/** The tests share nothing, and most of their time is the disk's or the server's. */
const CONCURRENCY = 4;

/** Runs the conformance suite on one kind of store, unless STORES leaves it out. Each kind has a file: files run side by side. */
export async function conformance(kind: StoreKind): Promise<void> {
  if (!PICKED_KINDS.includes(kind)) return;
  const missing = await missingFor(kind);
  if (missing !== undefined) {
    test(`${kind} conforms to the contract`, { skip: missing });
    return;
  }
  storeConformance({
    name: kind,
    test,
    describe: (name, body) => describe(name, { concurrency: CONCURRENCY }, body),
    fastCheck,
    open: async (options) => {
      const place = await freshStore(kind);
      const reopen = () => place.driver.open(place.url, options);
      const store = await reopen().catch(async (error) => {
        await place.remove();
        throw error;
      });
      let users: UserDatabase | null = null;
      const begin = async () => {
        users ??= await openUserDatabase(kind, place.url);
        return users.begin();
      };
      const close = async () => {
        await users?.close();
        await store.close();
        await place.remove();
      };
      return { store, close, begin, ...(store.capabilities.durable ? { reopen } : {}) };
    },
  });
}
