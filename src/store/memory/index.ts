import { LongshoreError, show } from '../../core/errors.ts';
import type { StoreDriver } from '../store.ts';
import { MemoryStore } from './open.ts';

/** `memory:` is a fresh, private store for each open(), for tests and for work that may be lost with the process. */
export const memoryDriver: StoreDriver = {
  async open(url, options) {
    requireUrl(url);
    return new MemoryStore(options);
  },

  async migrate(url) {
    requireUrl(url);
    return { from: 1, to: 1, steps: [] };
  },

  async doctor(url) {
    requireUrl(url);
    const detail = 'Jobs live in the memory of one process and are gone when it ends.';
    return [{ check: 'durability', level: 'ok', detail, remedy: null }];
  },
};

function requireUrl(url: string): void {
  if (url === 'memory:') return;
  throw new LongshoreError(
    'STORE_URL_INVALID',
    `The store URL is ${show(url)}; expected memory: and nothing after it.`,
    {
      details: { url },
    },
  );
}
