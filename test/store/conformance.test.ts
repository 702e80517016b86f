import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fastCheck from 'fast-check';
import type { StoreDriver } from '../../src/store/store.ts';
import { type OpenFixture, storeConformance } from '../../src/testing/index.ts';

/** Runs the conformance suite against the stores in STORES (comma-separated), by default all that need no server. */
const OPEN: Readonly<Record<string, OpenFixture>> = {
  async memory(options) {
    const { memoryDriver } = await import('../../src/store/memory/index.ts');
    const store = await memoryDriver.open('memory:', options);
    return { store, close: () => store.close() };
  },

  async sqlite(options) {
    const { sqliteDriver } = (await import('../../src/store/sqlite/index.ts')) as {
      sqliteDriver: StoreDriver;
    };
    const folder = await mkdtemp(join(tmpdir(), 'longshore-conformance-'));
    const url = `sqlite:${join(folder, 'jobs.db')}`;
    const store = await sqliteDriver.open(url, options);
    const close = async () => {
      await store.close();
      await rm(folder, { recursive: true });
    };
    return { store, close, reopen: () => sqliteDriver.open(url, options) };
  },
};

/** The tests share nothing, and most of their time is the disk's. */
const group = (name: string, body: () => void) => describe(name, { concurrency: 4 }, body);

const wanted = process.env.STORES?.split(',').filter((name) => name !== '') ?? Object.keys(OPEN);

for (const [name, open] of Object.entries(OPEN)) {
  if (wanted.includes(name)) storeConformance({ name, test, describe: group, open, fastCheck });
}
