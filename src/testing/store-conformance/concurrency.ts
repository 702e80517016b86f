import assert from 'node:assert/strict';
import type { Lease, Store } from '../../store/store.ts';
import type { It } from './area.ts';
import { claimRequest, completed, ids, only, spec, T0, type Trial } from './trial.ts';

export function concurrencyArea(it: It): void {
  it('verbs called in one tick apply in call order', async ({ store }) => {
    const specs = [spec(), spec()];
    const [, first, , second] = await Promise.all([
      store.enqueue(specs.slice(0, 1), { now: T0 }),
      store.claim(claimRequest()),
      store.enqueue(specs.slice(1), { now: T0 }),
      store.claim(claimRequest()),
    ]);
    assert.deepEqual([ids(first.leases), ids(second.leases)], [[specs[0]?.id], [specs[1]?.id]]);
    const pause = store.configureQueue('q', { paused: true });
    const add = store.enqueue([spec()], { now: T0 });
    assert.deepEqual((await store.claim(claimRequest())).leases, []);
    await Promise.all([pause, add]);
  });

  it('many single enqueues at once keep their call order', async ({ store }) => {
    const specs = Array.from({ length: 200 }, () => spec());
    await Promise.all(specs.map((one) => store.enqueue([one], { now: T0 })));
    assert.deepEqual(ids((await store.claim(claimRequest())).leases), ids(specs));
  });

  it('nobody sees half a batch', async (trial) => {
    const [writer, reader] = await connections(trial);
    const size = 500;
    let writing = true;
    const writes = (async () => {
      for (let batch = 0; batch < 5; batch += 1)
        await writer.enqueue(
          Array.from({ length: size }, () => spec()),
          { now: T0 },
        );
      writing = false;
    })();
    while (writing) {
      const ready = (await reader.queues())[0]?.counts.ready ?? 0;
      assert.equal(ready % size, 0, `a reader counted ${ready} jobs`);
    }
    await writes;
    assert.equal(only(await reader.queues()).counts.ready, 5 * size);
  });

  it('many claimers on two connections never get the same job', async (trial) => {
    const stores = await connections(trial);
    const specs = Array.from({ length: 600 }, () => spec());
    await trial.store.enqueue(specs, { now: T0 });
    const claimers = Array.from({ length: 12 }, async (_, index) => {
      const store = stores[index % 2] ?? trial.store;
      const mine: Lease[] = [];
      for (;;) {
        const { leases } = await store.claim(claimRequest({ workerId: `w${index}`, limit: 7 }));
        if (leases.length === 0) return mine;
        mine.push(...leases);
      }
    });
    const all = (await Promise.all(claimers)).flat();
    assert.equal(all.length, specs.length);
    assert.deepEqual(ids(all).sort(), ids(specs).sort());
    assert.equal(new Set(all.map(({ token }) => token)).size, specs.length);
  });

  it('of many enqueues with one unique key, one adds a job', async (trial) => {
    const stores = await connections(trial);
    const unique = { key: 'store/k', mode: 'existing', periodMs: 0 } as const;
    const receipts = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        (stores[index % 2] ?? trial.store).enqueue([spec({ unique })], { now: T0 }),
      ),
    );
    assert.equal(receipts.flat().filter(({ status }) => status === 'created').length, 1);
    assert.equal(new Set(ids(receipts.flat())).size, 1);
  });

  it('of many settlements of one lease, one counts', async (trial) => {
    const stores = await connections(trial);
    const { id, token } = await trial.start();
    const receipts = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        (stores[index % 2] ?? trial.store).settle([{ id, token, outcome: completed(String(index)) }], {
          now: T0,
        }),
      ),
    );
    assert.equal(receipts.flat().filter(({ status }) => status === 'settled').length, 1);
    const winner = receipts.findIndex((receipt) => receipt[0]?.status === 'settled');
    assert.equal((await trial.job(id)).result, String(winner));
  });

  it('of many reapers, one takes a lease back', async (trial) => {
    const stores = await connections(trial);
    await trial.start();
    const receipts = await Promise.all(stores.map((store) => store.reap({ now: T0 + 900_000 })));
    assert.equal(receipts.flatMap(({ reaped }) => reaped).length, 1);
  });

  it(
    'what one connection acknowledged, the other sees at once, in one line',
    async (trial) => {
      const [first, second] = await connections(trial);
      const order: string[] = [];
      for (let job = 0; job < 20; job += 1) {
        const one = spec();
        await (job % 2 === 0 ? first : second).enqueue([one], { now: T0 });
        assert.equal(only(await (job % 2 === 0 ? second : first).get([one.id]))?.id, one.id);
        order.push(one.id);
      }
      assert.deepEqual(ids((await second.claim(claimRequest())).leases), order);
      assert.deepEqual((await first.claim(claimRequest())).leases, []);
    },
    'shared',
  );

  it(
    'everything acknowledged is there after the store was closed and opened again',
    async (trial) => {
      const waiting = await trial.add();
      const lease = await trial.start({ queue: 'other' });
      const ended = await trial.start({ queue: 'third' });
      await trial.settle(ended, completed('"kept"'));
      await trial.store.configureQueue('q', { paused: true }, { now: T0 });
      const before = await trial.store.get([waiting, lease.id, ended.id]);
      await trial.store.close();
      const again = await trial.reopen();
      assert.deepEqual(await again.get([waiting, lease.id, ended.id]), before);
      assert.deepEqual((await again.claim(claimRequest())).leases, []);
      const outcome = completed('"after"');
      const receipts = await again.settle([{ id: lease.id, token: lease.token, outcome }], { now: T0 });
      assert.deepEqual(receipts, [{ status: 'settled', state: 'completed' }]);
      const next = spec({ queue: 'other' });
      await again.enqueue([next], { now: T0 });
      const [older, younger] = await again.get([ended.id, next.id]);
      assert.ok((older?.seq ?? 0) < (younger?.seq ?? 0));
      const fresh = only((await again.claim(claimRequest({ queues: ['other'] }))).leases);
      assert.notEqual(fresh.token, lease.token);
    },
    'durable',
  );
}

/** Two connections to the same data where the store can, else the same one twice. */
async function connections(trial: Trial): Promise<[Store, Store]> {
  return [trial.store, trial.store.capabilities.shared ? await trial.reopen() : trial.store];
}
