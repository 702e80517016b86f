import assert from 'node:assert/strict';
import type { Finding, Store, StoreDriver } from '../../src/store/store.ts';
import { completed, spec } from '../../src/testing/store-conformance/trial.ts';

const ONE_HOUR_MS = 3_600_000;

export const FAR_MS = Date.now() + 30 * 24 * ONE_HOUR_MS;

interface Hurt {
  readonly driver: StoreDriver;
  readonly url: string;
  /** Of the same URL, open. */
  readonly store: Store;
  /** Behind the store's back. */
  readonly damage: () => unknown;
  /** The check that finds it. */
  readonly check: string;
}

/** The doctor finds the damage, mends it when asked, and afterwards every job runs. */
export async function assertMended({ driver, url, store, damage, check }: Hurt): Promise<void> {
  const ids = await populate(store);
  await damage();
  const found = one(await driver.doctor(url), check);
  assert.deepEqual([found?.level, found?.repaired], ['fault', undefined]);
  assert.match(found?.remedy ?? '', /longshore doctor --repair/);
  const mended = one(await driver.doctor(url, { repair: true }), check);
  assert.deepEqual([mended?.level, mended?.repaired], ['fault', true]);
  const after = await driver.doctor(url);
  assert.deepEqual(
    after.filter(({ level }) => level === 'fault'),
    [],
  );
  assert.ok(await store.lock.acquire({ name: 'leader', holder: 'next', ttlMs: 1_000 }));
  await runAll(store, ids);
}

function one(findings: readonly Finding[], check: string): Finding | undefined {
  return findings.find((finding) => finding.check === check);
}

/** One job fresh, one running fresh, one running after a retry, and of one key two in the line and one held. */
async function populate(store: Store): Promise<string[]> {
  await store.configureQueue('q', { limits: { perKey: { concurrency: 2 } } });
  const fresh = [spec({ queue: 'plain' }), spec({ queue: 'plain' })];
  const keyed = [spec({ key: 'k' }), spec({ key: 'k' }), spec({ key: 'k' })];
  await store.enqueue(fresh);
  await store.enqueue(keyed);
  await claimed(store, 'plain', 1);
  const [lease] = await claimed(store, 'q', 1);
  await store.settle([
    {
      id: lease?.id ?? '',
      token: lease?.token ?? '',
      outcome: { type: 'released' },
    },
  ]);
  await claimed(store, 'q', 1);
  return [...fresh, ...keyed].map(({ id }) => id);
}

async function claimed(store: Store, queue: string, limit: number, now?: number) {
  const request = { workerId: 'w', queues: [queue], limit, leaseMs: 60_000 };
  return (await store.claim(now === undefined ? request : { ...request, now })).leases;
}

/** Every job ends, those of workers that died included. */
async function runAll(store: Store, ids: readonly string[]): Promise<void> {
  let now = Date.now();
  const done = new Set<string>();
  for (let round = 0; round < 10 && done.size < ids.length; round += 1) {
    now += ONE_HOUR_MS;
    await store.reap({ now });
    const leases = [...(await claimed(store, 'plain', 10, now)), ...(await claimed(store, 'q', 10, now))];
    await store.settle(
      leases.map(({ id, token }) => ({ id, token, outcome: completed() })),
      { now },
    );
    for (const { id } of leases) done.add(id);
  }
  assert.deepEqual([...done].sort(), [...ids].sort());
  assert.deepEqual(
    await store.queues().then((queues) => queues.map(({ counts }) => counts.completed)),
    [2, 3],
  );
}
