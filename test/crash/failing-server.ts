import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { createClient } from '@redis/client';
import pg from 'pg';
import { startPostgres, startRedis } from '../../setup/services/index.mjs';
import { type ConnectOptions, connect, type Longshore } from '../../src/index.ts';
import type { Store } from '../../src/store/store.ts';
import { storeDriver } from '../../src/store-driver.ts';
import { PICKED_KINDS } from '../fresh-store.ts';
import { TcpProxy } from '../proxy.ts';
import { Fleet } from './fleet.ts';

export type ServerKind = 'postgres' | 'redis';

type Server = Awaited<ReturnType<typeof startRedis>>;

/** A server for the tests of one file, which they may kill, pause and restart. What it acknowledged survives a kill. */
export class FailingServer {
  readonly kind: ServerKind;
  readonly server: Server;

  static async start(kind: ServerKind): Promise<FailingServer> {
    return new FailingServer(
      kind,
      kind === 'redis'
        ? await startRedis({ durable: true })
        : await startPostgres({ settings: { synchronous_commit: 'on' } }),
    );
  }

  constructor(kind: ServerKind, server: Server) {
    this.kind = kind;
    this.server = server;
  }

  /** Of an empty store. */
  async freshUrl(options: Readonly<Record<string, string | number>> = {}): Promise<string> {
    const name = `own_${randomUUID().slice(0, 8)}`;
    const url = new URL(this.server.url);
    url.searchParams.set(this.kind === 'redis' ? 'prefix' : 'schema', name);
    for (const [option, value] of Object.entries(options)) url.searchParams.set(option, String(value));
    await (await storeDriver(url.href)).migrate(url.href, { dryRun: false });
    return url.href;
  }

  /** Ends the connections of all clients at the server, those that hear hints or those that do not if it is said. */
  async dropConnections(which: 'all' | 'ears' | 'others' = 'all'): Promise<void> {
    if (this.kind === 'redis') {
      const admin = createClient({ url: this.server.url });
      await admin.connect();
      for (const [type, name] of [
        ['pubsub', 'ears'],
        ['normal', 'others'],
      ] as const)
        if (which === 'all' || which === name) await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', type]);
      admin.destroy();
      return;
    }
    const admin = new pg.Client({ connectionString: this.server.url });
    await admin.connect();
    const chosen = { all: 'true', ears: "query LIKE 'LISTEN%'", others: "query NOT LIKE 'LISTEN%'" }[which];
    await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND ${chosen}`,
    );
    await admin.end();
  }
}

/** What a test has. */
export interface Scene extends FailingServer {
  readonly t: TestContext;
  readonly fleet: Fleet;
  proxy(): Promise<TcpProxy>;
  /** Closed when the test ends. */
  connect(url: string, options?: ConnectOptions): Promise<Longshore>;
  open(url: string): Promise<Store>;
}

const servers = new Map<ServerKind, Promise<FailingServer>>();

/** One test per kind of server. Those of a file share the server, which each leaves running. */
export function onEachServer(
  title: string,
  body: (scene: Scene) => Promise<void>,
  kinds: readonly ServerKind[] = ['redis', 'postgres'],
): void {
  for (const kind of kinds.filter((name) => PICKED_KINDS.includes(name))) {
    test(`${title} (${kind})`, { timeout: 30_000 }, async (t) => {
      const failing = await sharedBy(kind).catch((error: Error) => error);
      if (failing instanceof Error) {
        if (process.env.CI) throw failing;
        t.skip(failing.message);
      } else await body(sceneOf(t, failing));
    });
  }
}

function sharedBy(kind: ServerKind): Promise<FailingServer> {
  let failing = servers.get(kind);
  if (failing === undefined) {
    failing = FailingServer.start(kind);
    servers.set(kind, failing);
    // It ends with this process.
    failing.then(({ server }) => server.unref()).catch(() => {});
  }
  return failing;
}

export function sceneOf(t: TestContext, failing: FailingServer): Scene {
  const open: { close(): Promise<void> }[] = [];
  t.after(async () => {
    failing.server.resume();
    if (failing.server.pid === undefined) await failing.server.restart();
    for (const each of open.reverse()) await each.close();
  });
  const closing = <Opened extends { close(): Promise<void> }>(opened: Opened): Opened => {
    open.push(opened);
    return opened;
  };
  const fleet = new Fleet(t);
  return Object.assign(Object.create(failing) as FailingServer, {
    t,
    fleet,
    kind: failing.kind,
    server: failing.server,
    proxy: () => TcpProxy.start(t, failing.server.url),
    connect: async (url: string, options: ConnectOptions = {}) =>
      closing(await connect(url, { workerSettings: { graceMs: 100, abortGraceMs: 100 }, ...options })),
    open: async (url: string) => closing(await (await storeDriver(url)).open(url, {})),
  });
}
