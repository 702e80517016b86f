import type { TestContext } from 'node:test';
import { findServer, isPicked } from '../setup/services/for-tests.mjs';

/**
 * The servers that tests share, each test in a schema or behind a prefix of its own. `npm test` starts them and says
 * where they are; a file that is run alone starts its own. Tests that kill or pause a server start one for themselves
 * with setup/services.
 */
export type ServerKind = 'postgres' | 'redis';

export type SharedServer =
  | { readonly url: string; readonly missing?: undefined }
  | { readonly missing: string; readonly url?: undefined };

const servers = new Map<ServerKind, Promise<SharedServer>>();

export function sharedServer(kind: ServerKind): Promise<SharedServer> {
  const server = servers.get(kind) ?? find(kind);
  servers.set(kind, server);
  return server;
}

/** The server's URL; undefined where there is none or STORES leaves it out, and then the test is skipped. */
export async function serverUrl(t: TestContext, kind: ServerKind): Promise<string | undefined> {
  const { url, missing } = await sharedServer(kind);
  if (missing !== undefined) t.skip(missing);
  return url;
}

async function find(kind: ServerKind): Promise<SharedServer> {
  if (!isPicked(kind)) return { missing: `STORES leaves ${kind} out` };
  const { url, server, missing } = await findServer(kind);
  // It ends with this process.
  server?.unref();
  if (url !== undefined) return { url };
  if (process.env.CI) throw new Error(missing);
  return { missing: missing ?? '' };
}
