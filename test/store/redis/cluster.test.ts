import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createClient } from '@redis/client';
import { startRedis } from '../../../setup/services/index.mjs';
import { redisDriver } from '../../../src/store/redis/index.ts';
import { eventually } from '../../stage.ts';
import { claimRequest, spec } from './specs.ts';

const SLOTS = 16_384;
const NODES = 3;

/** Three nodes that share the slots; resolves to their URLs. */
async function startCluster(t: TestContext): Promise<string[]> {
  const servers = await Promise.all(
    Array.from({ length: NODES }, () => startRedis({ args: ['--cluster-enabled', 'yes'] })),
  );
  t.after(() => Promise.all(servers.map((server) => server.stop())));
  const urls = servers.map(({ url }) => url);
  const [first] = urls;
  for (const [index, url] of urls.entries()) {
    const share = Math.ceil(SLOTS / NODES);
    const last = Math.min((index + 1) * share, SLOTS) - 1;
    await ask(url, ['CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1)]);
    await ask(url, ['CLUSTER', 'ADDSLOTSRANGE', String(index * share), String(last)]);
    if (url !== first) await ask(url, ['CLUSTER', 'MEET', '127.0.0.1', new URL(first ?? '').port]);
  }
  const isWhole = async (url: string) =>
    /cluster_state:ok[\s\S]*cluster_known_nodes:3[\s\S]*cluster_size:3/.test(
      await ask(url, ['CLUSTER', 'INFO']),
    );
  await eventually(async () => (await Promise.all(urls.map(isWhole))).every(Boolean));
  return urls;
}

async function ask(url: string, command: string[]): Promise<string> {
  const client = createClient({ url });
  await client.connect();
  try {
    return String(await client.sendCommand(command));
  } finally {
    client.destroy();
  }
}

/** A job's way through the store named by `url`. */
async function run(t: TestContext, url: string): Promise<void> {
  const store = await redisDriver.open(url, {});
  const other = await redisDriver.open(url, {});
  t.after(() => Promise.all([store.close(), other.close()]));
  const specs = Array.from({ length: 300 }, (_, index) =>
    spec({ queue: `q${index % 3}`, unique: unique(index) }),
  );
  const receipts = await store.enqueue(specs);
  assert.ok(receipts.every(({ status }) => status === 'created'));
  const { leases } = await other.claim(claimRequest({ queues: ['q0', 'q1', 'q2'] }));
  assert.equal(leases.length, 300);
  const outcome = { type: 'completed', result: '1' } as const;
  const settled = await store.settle(leases.map(({ id, token }) => ({ id, token, outcome })));
  assert.ok(settled.every(({ status }) => status === 'settled'));
  const { jobs } = await other.list({ states: ['completed'], limit: 1_000 });
  assert.deepEqual(
    jobs.map(({ id }) => id),
    specs.map(({ id }) => id).reverse(),
  );
}

function unique(index: number) {
  return { key: `store/${index}`, mode: 'reject', periodMs: 0 } as const;
}

test('on a cluster a store works from every node, as told and as found, whichever node has its slot', async (t) => {
  const urls = await startCluster(t);
  const [first] = urls;
  // Prefixes whose slots lie on different nodes.
  for (const prefix of ['a', 'b', 'c']) await run(t, `${first}?prefix=${prefix}`);
  for (const [index, url] of urls.entries()) await run(t, `${url}?cluster=true&prefix=node${index}`);
  const keys = await Promise.all(urls.map((url) => ask(url, ['DBSIZE'])));
  assert.ok(keys.filter((count) => Number(count) > 0).length > 1, `all keys lie on one node: ${keys}`);
});

test('hints reach other connections of a cluster', async (t) => {
  const [url] = await startCluster(t);
  const store = await redisDriver.open(`${url}?prefix=hints`, {});
  const other = await redisDriver.open(`${url}?prefix=hints`, {});
  t.after(() => Promise.all([store.close(), other.close()]));
  let hints = 0;
  other.notifier.subscribe('ready', () => (hints += 1));
  // It is told once when its connection is there.
  await eventually(() => hints > 0);
  const before = hints;
  await store.enqueue([spec()]);
  await eventually(() => hints > before);
});
