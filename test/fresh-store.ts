import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isPicked } from '../setup/services/for-tests.mjs';
import type { StoreDriver } from '../src/store/store.ts';
import { freshPrefix } from './fresh-prefix.ts';
import { freshSchema } from './fresh-schema.ts';
import { type SharedServer, sharedServer } from './servers.ts';

/** A place for a new store of each kind: a temporary file, or a schema or a prefix on the server that all tests share. */
export interface FreshStore {
  readonly url: string;
  readonly driver: StoreDriver;
  /** Fails where a connection to it was left open. */
  remove(): Promise<void>;
  /** Resolves after about the time that a call of the store takes. */
  pace(): Promise<void>;
}

export const STORE_KINDS = ['memory', 'sqlite', 'postgres', 'redis'] as const;

export type StoreKind = (typeof STORE_KINDS)[number];

/** Those in STORES (comma-separated); all without it. */
export const PICKED_KINDS: readonly StoreKind[] = STORE_KINDS.filter(isPicked);

/** Why there can be no store of this kind here; undefined where there can. */
export async function missingFor(kind: StoreKind): Promise<string | undefined> {
  return (await serverFor(kind)).missing;
}

/** Empty and ready to be opened. Throws where `missingFor` says why. */
export async function freshStore(kind: StoreKind): Promise<FreshStore> {
  const { url, missing } = await serverFor(kind);
  if (missing !== undefined) throw new Error(missing);
  return MAKE[kind](url);
}

async function serverFor(kind: StoreKind): Promise<SharedServer> {
  return kind === 'postgres' || kind === 'redis' ? sharedServer(kind) : { url: '' };
}

/** What a kind needs is loaded when it is used. */
const MAKE: Readonly<Record<StoreKind, (server: string) => Promise<FreshStore>>> = {
  async memory() {
    const { memoryDriver } = await import('../src/store/memory/index.ts');
    return { url: 'memory:', driver: memoryDriver, remove: async () => {}, pace: nextTurn };
  },

  async sqlite() {
    const { sqliteDriver } = await import('../src/store/sqlite/index.ts');
    const folder = await mkdtemp(join(tmpdir(), 'longshore-'));
    const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
    return { url: `sqlite:${join(folder, 'jobs.db')}`, driver: sqliteDriver, remove, pace: nextTurn };
  },

  async postgres(server) {
    const { postgresDriver } = await import('../src/store/postgres/index.ts');
    return { driver: postgresDriver, ...(await freshSchema(server, postgresDriver)) };
  },

  async redis(server) {
    const { redisDriver } = await import('../src/store/redis/index.ts');
    return { driver: redisDriver, ...freshPrefix(server) };
  },
};
