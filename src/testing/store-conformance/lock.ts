import assert from 'node:assert/strict';
import type { It } from './area.ts';
import { T0 } from './trial.ts';

const TTL_MS = 1_000;

export function lockArea(it: It): void {
  it('a lock has one holder, who may renew it', async ({ store: { lock } }) => {
    assert.equal(await lock.acquire({ name: 'prune', holder: 'a', ttlMs: TTL_MS, now: T0 }), true);
    assert.equal(await lock.acquire({ name: 'prune', holder: 'b', ttlMs: TTL_MS, now: T0 }), false);
    assert.equal(await lock.acquire({ name: 'prune', holder: 'a', ttlMs: TTL_MS, now: T0 + 900 }), true);
    assert.equal(await lock.acquire({ name: 'prune', holder: 'b', ttlMs: TTL_MS, now: T0 + TTL_MS }), false);
  });

  it('a lock that was not renewed goes to who asks next', async ({ store: { lock } }) => {
    await lock.acquire({ name: 'prune', holder: 'a', ttlMs: TTL_MS, now: T0 });
    assert.equal(
      await lock.acquire({ name: 'prune', holder: 'b', ttlMs: TTL_MS, now: T0 + TTL_MS - 1 }),
      false,
    );
    assert.equal(await lock.acquire({ name: 'prune', holder: 'b', ttlMs: TTL_MS, now: T0 + TTL_MS }), true);
    assert.equal(await lock.acquire({ name: 'prune', holder: 'a', ttlMs: TTL_MS, now: T0 + TTL_MS }), false);
  });

  it('a released lock is free; who does not hold it cannot release it', async ({ store: { lock } }) => {
    await lock.acquire({ name: 'prune', holder: 'a', ttlMs: TTL_MS, now: T0 });
    await lock.release({ name: 'prune', holder: 'b' });
    assert.equal(await lock.acquire({ name: 'prune', holder: 'b', ttlMs: TTL_MS, now: T0 }), false);
    await lock.release({ name: 'prune', holder: 'a' });
    assert.equal(await lock.acquire({ name: 'prune', holder: 'b', ttlMs: TTL_MS, now: T0 }), true);
    await lock.release({ name: 'unheard of', holder: 'a' });
  });

  it('locks of other names are other locks', async ({ store: { lock } }) => {
    await lock.acquire({ name: 'prune', holder: 'a', ttlMs: TTL_MS, now: T0 });
    assert.equal(await lock.acquire({ name: 'schedule', holder: 'b', ttlMs: TTL_MS, now: T0 }), true);
  });

  it('of many who ask at once, one gets the lock', async (trial) => {
    const stores = trial.store.capabilities.shared ? [trial.store, await trial.reopen()] : [trial.store];
    const asked = Array.from({ length: 20 }, (_, index) => {
      const store = stores[index % stores.length] ?? trial.store;
      return store.lock.acquire({ name: 'prune', holder: `holder ${index}`, ttlMs: TTL_MS, now: T0 });
    });
    assert.equal((await Promise.all(asked)).filter(Boolean).length, 1);
  });
}
