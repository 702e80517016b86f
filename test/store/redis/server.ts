import type { TestContext } from 'node:test';
import { createClient } from '@redis/client';
import { startRedis } from '../../../setup/services/index.mjs';
import { redisDriver } from '../../../src/store/redis/index.ts';
import type { Store, StoreOptions } from '../../../src/store/store.ts';

/** A server of a test's own, which it may stop, pause and set up as it likes. */
export interface OwnServer {
  readonly url: string;
  readonly port: number;
  /** Sends one command as it stands. */
  send(...command: string[]): Promise<unknown>;
  /** Opens the store with the default prefix; it is closed when the test ends. */
  open(options?: StoreOptions & { readonly requestBytesMax?: number }): Promise<Store>;
  /** The server is gone at once, as if its machine had lost power; what it wrote stays. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  pause(): void;
  resume(): void;
}

export async function ownServer(
  t: TestContext,
  options: { readonly durable?: boolean; readonly args?: readonly string[] } = {},
): Promise<OwnServer> {
  const server = await startRedis(options);
  const open: Store[] = [];
  t.after(async () => {
    server.resume();
    for (const store of open) await store.close();
    await server.stop();
  });
  return {
    url: server.url,
    port: server.port,
    async send(...command) {
      const client = createClient({ url: server.url });
      await client.connect();
      try {
        return await client.sendCommand(command);
      } finally {
        client.destroy();
      }
    },
    async open(storeOptions = {}) {
      const store = await redisDriver.open(server.url, storeOptions);
      open.push(store);
      return store;
    },
    kill: () => server.kill(),
    restart: () => server.restart(),
    pause: () => server.pause(),
    resume: () => server.resume(),
  };
}

/** Calls `look` until it returns something; for what another process does in its own time. */
export async function eventually<Result>(look: () => Promise<Result | undefined>): Promise<Result> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const result = await look();
    if (result !== undefined) return result;
    if (performance.now() > deadline) throw new Error('It did not happen within 20 s.');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
