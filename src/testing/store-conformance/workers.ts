import assert from 'node:assert/strict';
import { WORKER_KEPT_MS } from '../../store/store.ts';
import type { It } from './area.ts';
import { beatOf, completed, LEASE_MS, only, T0 } from './trial.ts';

export function workersArea(it: It): void {
  it('a worker is in the registry from its first beat, as it described itself', async ({ store }) => {
    assert.deepEqual(await store.workers({ now: T0 }), []);
    const { worker, load } = beatOf('w1', T0);
    await store.beat(beatOf('w1', T0 + 3));
    assert.deepEqual(await store.workers({ now: T0 + 3 }), [
      { ...worker, ...load, seenAt: T0 + 3, running: 0, alive: true },
    ]);
  });

  it('the load is that of the last beat', async ({ store }) => {
    await store.beat(beatOf('w1', T0));
    const light = { lane: 'inline', reason: 'light: "ü", 1 ms', samples: 5, busyMs: 0.25, wallMs: 12 };
    const profiles = [
      { task: 'report', ...light },
      { task: 'primes', lane: 'thread', reason: '', samples: 0, busyMs: 0, wallMs: 0 },
    ];
    const load = { slots: 8, slotsUsed: 7, profiles };
    await store.beat(beatOf('w1', T0 + 10, { load }));
    const { worker } = beatOf('w1', T0);
    const record = only(await store.workers({ now: T0 + 10 }));
    assert.deepEqual(record, { ...worker, ...load, seenAt: T0 + 10, running: 0, alive: true });
  });

  it('a worker is alive until its lease time passes without a beat', async ({ store }) => {
    await store.beat(beatOf('w1', T0));
    const alive = async (now: number) => only(await store.workers({ now })).alive;
    assert.equal(await alive(T0 + LEASE_MS - 1), true);
    assert.equal(await alive(T0 + LEASE_MS), false);
    await store.beat(beatOf('w1', T0 + LEASE_MS));
    assert.equal(await alive(T0 + LEASE_MS + 1), true);
  });

  it('a worker runs as many jobs as it holds', async (trial) => {
    await trial.store.beat(beatOf('w1', T0));
    await trial.store.beat(beatOf('w2', T0));
    const lease = await trial.start();
    await trial.start();
    const running = async () =>
      Object.fromEntries(
        (await trial.store.workers({ now: T0 })).map((worker) => [worker.id, worker.running]),
      );
    assert.deepEqual(await running(), { w1: 2, w2: 0 });
    await trial.settle(lease, completed());
    assert.deepEqual(await running(), { w1: 1, w2: 0 });
  });

  it('a retired worker leaves the registry; retiring an unknown one changes nothing', async ({ store }) => {
    await store.beat(beatOf('w1', T0));
    await store.beat(beatOf('w2', T0));
    await store.retire('w1', { now: T0 });
    await store.retire('nobody', { now: T0 });
    assert.equal(only(await store.workers({ now: T0 })).id, 'w2');
  });

  it('a worker that has been dead for long is pruned, unless it still holds a job', async (trial) => {
    const { store } = trial;
    await store.beat(beatOf('w1', T0));
    await store.beat(beatOf('w2', T0));
    await trial.start();
    assert.equal((await store.prune({ now: T0 + LEASE_MS + WORKER_KEPT_MS - 1 })).workers, 0);
    assert.equal((await store.prune({ now: T0 + LEASE_MS + WORKER_KEPT_MS })).workers, 1);
    assert.equal(only(await store.workers({ now: T0 })).id, 'w1');
    await store.reap({ now: T0 + LEASE_MS });
    assert.equal((await store.prune({ now: T0 + LEASE_MS + WORKER_KEPT_MS })).workers, 1);
  });
}
