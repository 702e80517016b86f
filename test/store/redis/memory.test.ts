import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createClient } from '@redis/client';
import { startRedis } from '../../../setup/services/index.mjs';
import { redisDriver } from '../../../src/store/redis/index.ts';
import type { Store } from '../../../src/store/store.ts';
import { eventually } from './server.ts';
import { claimRequest, spec } from './specs.ts';

const JOBS = 50_000;
const BATCH = 1_000;
/** Allocators hand out memory in steps of 8 or 16 bytes, so the figure depends on the length of the input by as much. */
const INPUT = '"01234567"';

async function open(t: TestContext): Promise<{ store: Store; usedBytes: () => Promise<number> }> {
  const server = await startRedis();
  const client = createClient({ url: server.url });
  await client.connect();
  const store = await redisDriver.open(server.url, {});
  t.after(async () => {
    await store.close();
    client.destroy();
    await server.stop();
  });
  const usedBytes = () =>
    eventually(async () => {
      const text = String(await client.sendCommand(['INFO', 'memory']));
      const of = (field: string) => Number(new RegExp(`${field}:(\\d+)`).exec(text)?.[1]);
      // What was unlinked is freed on another thread.
      if (of('lazyfree_pending_objects') > 0) return undefined;
      return of('used_memory') - of('used_memory_scripts') - of('mem_clients_normal');
    });
  return { store, usedBytes };
}

async function fill(store: Store): Promise<void> {
  for (let added = 0; added < JOBS; added += BATCH)
    await store.enqueue(Array.from({ length: BATCH }, () => spec({ input: INPUT })));
}

test('a job takes less than 160 bytes beyond its input while it waits, and less than 200 when it is done', async (t) => {
  const { store, usedBytes } = await open(t);
  const emptyBytes = await usedBytes();
  const each = async () => ((await usedBytes()) - emptyBytes) / JOBS - INPUT.length;
  await fill(store);
  const waiting = await each();
  t.diagnostic(`${waiting.toFixed(1)} bytes a waiting job`);
  assert.ok(waiting < 160, `${waiting} bytes a waiting job`);
  for (;;) {
    const { leases } = await store.claim(claimRequest());
    if (leases.length === 0) break;
    const outcome = { type: 'completed', result: null } as const;
    await store.settle(leases.map(({ id, token }) => ({ id, token, outcome })));
  }
  const done = await each();
  t.diagnostic(`${done.toFixed(1)} bytes a completed job`);
  assert.ok(done < 200, `${done} bytes a completed job`);
});

test('a store that was emptied takes no memory for the jobs it had', async (t) => {
  const { store, usedBytes } = await open(t);
  const emptyBytes = await usedBytes();
  await fill(store);
  assert.equal(await store.clear('q', ['ready']), JOBS);
  const left = ((await usedBytes()) - emptyBytes) / JOBS;
  t.diagnostic(`${left.toFixed(1)} bytes are left of each job`);
  assert.ok(left < 12, `${left} bytes are left of each job`);
});
