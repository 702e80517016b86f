import assert from 'node:assert/strict';
import { KEY_WINDOW, LIMITS_NONE, type Rate } from '../../core/limits.ts';
import type { It } from './area.ts';
import { add, drain, held, limitKeys } from './keys.ts';
import { limitRun } from './limit-run.ts';
import { claimRequest, completed, ids, retried, spec, T0, type Trial } from './trial.ts';

export function limitsArea(it: It): void {
  it('no more jobs of a queue run than its limit, whoever claims', async (trial) => {
    await trial.store.configureQueue('q', { limits: { concurrency: 3 } });
    const all = await add(trial, 5, null);
    const other = await trial.add({ queue: 'other' });
    const first = await trial.claim({ limit: 2 });
    const second = await trial.claim({ workerId: 'w2', queues: ['q', 'other'] });
    assert.deepEqual([ids(first), ids(second)], [all.slice(0, 2), [all[2], other]]);
    assert.deepEqual(await trial.claim({ workerId: 'w3' }), []);
    for (const lease of first) await trial.settle(lease, completed());
    assert.deepEqual(ids(await trial.claim({ workerId: 'w3' })), all.slice(3));
  });

  it("a job that ends in a limited queue hints 'ready', so that waiting workers look again", async (trial) => {
    await trial.store.configureQueue('q', { limits: { concurrency: 1 } });
    await add(trial, 2, null);
    const lease = await trial.take();
    for (let turn = 0; turn < 10; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
    const hinted = new Promise<void>((resolve) => {
      trial.store.notifier.subscribe('ready', resolve);
    });
    await trial.settle(lease, completed());
    await hinted;
  });

  it('in no span of time do more jobs of a queue start than its rate', async (trial) => {
    await setRate(trial, { count: 3, perMs: 1_000 });
    const all = await add(trial, 8, null);
    assert.deepEqual(ids(await trial.claim({ limit: 2 })), all.slice(0, 2));
    const late = await trial.store.claim(claimRequest({ now: T0 + 600 }));
    assert.deepEqual([ids(late.leases), late.nextDueAt], [all.slice(2, 3), T0 + 1_000]);
    assert.deepEqual(await trial.claim({ now: T0 + 999 }), []);
    const slid = await trial.store.claim(claimRequest({ now: T0 + 1_000 }));
    assert.deepEqual([ids(slid.leases), slid.nextDueAt], [all.slice(3, 5), T0 + 1_600]);
    assert.deepEqual(ids(await trial.claim({ now: T0 + 1_600 })), all.slice(5, 6));
    assert.deepEqual(ids(await trial.claim({ now: T0 + 2_600 })), all.slice(6));
  });

  it('a rate that nobody waits for gives no time to come back', async (trial) => {
    await setRate(trial, { count: 1, perMs: 1_000 });
    await trial.start();
    assert.equal((await trial.store.claim(claimRequest())).nextDueAt, null);
  });

  it('a start is a claim: a job given back has used up its part of the rate', async (trial) => {
    await setRate(trial, { count: 1, perMs: 1_000 });
    await trial.settle(await trial.start(), { type: 'released' });
    assert.deepEqual(await trial.store.claim(claimRequest()), { now: T0, leases: [], nextDueAt: T0 + 1_000 });
  });

  it("a job beyond its key's rate is put off, and holds back its key alone", async (trial) => {
    await limitKeys(trial, { rate: { count: 2, perMs: 1_000 } });
    const [first, second, third] = await add(trial, 3, 'k');
    const [other, free] = [await trial.add({ key: 'l' }), await trial.add()];
    const { leases, nextDueAt } = await trial.store.claim(claimRequest());
    assert.deepEqual([ids(leases), nextDueAt], [[first, second, other, free], T0 + 1_000]);
    const { state, dueAt } = await trial.job(third ?? '');
    assert.deepEqual([state, dueAt], ['scheduled', T0 + 1_000]);
    assert.deepEqual(await trial.claim({ now: T0 + 999 }), []);
    assert.deepEqual(ids(await trial.claim({ now: T0 + 1_000 })), [third]);
  });

  it("no more jobs than a key's window are put off, and in order they stay in order", async (trial) => {
    await limitKeys(trial, { ordered: true, rate: { count: 1, perMs: 1_000 } });
    const all = await add(trial, 3, 'k');
    const order = await drain(trial);
    assert.deepEqual([order, await held(trial)], [all.slice(0, 1), all.slice(2)]);
    order.push(...(await drain(trial, T0 + 1_000)), ...(await drain(trial, T0 + 2_000)));
    assert.deepEqual(order, all);
  });

  it('a lower limit lets running jobs finish and sends what is ready back', async (trial) => {
    const all = await add(trial, 6, 'k');
    const running = await trial.claim({ limit: 3 });
    await limitKeys(trial, { concurrency: 2 });
    assert.deepEqual(await held(trial), all.slice(3));
    for (const [index, lease] of running.entries()) {
      await trial.settle(lease, completed());
      assert.deepEqual(await held(trial), all.slice(Math.max(3, 2 + index + 1)));
    }
    assert.deepEqual(ids(await trial.claim()), all.slice(3, 5));
  });

  it('a higher limit lets more in at once, and none at all lets in the default window', async (trial) => {
    await limitKeys(trial, { concurrency: 1 });
    const all = await add(trial, KEY_WINDOW + 3, 'k');
    assert.deepEqual(ids(await trial.claim()), all.slice(0, 1));
    await limitKeys(trial, { concurrency: 3 });
    assert.deepEqual(ids(await trial.claim()), all.slice(1, 3));
    await trial.store.configureQueue('q', { limits: LIMITS_NONE });
    assert.deepEqual(ids(await trial.claim()), all.slice(3, KEY_WINDOW));
    assert.deepEqual(await held(trial), all.slice(KEY_WINDOW));
  });

  it('a rate that is lifted lets go at once what it put off', async (trial) => {
    await limitKeys(trial, { rate: { count: 1, perMs: 3_600_000 } });
    const [, second] = await add(trial, 2, 'k');
    await trial.claim();
    await limitKeys(trial, { rate: null }, T0 + 5);
    assert.deepEqual(ids(await trial.claim({ now: T0 + 5 })), [second]);
  });

  it('order that is lifted lets others pass the one that waits for its retry', async (trial) => {
    await limitKeys(trial, { ordered: true });
    const [, second] = await add(trial, 2, 'k');
    await trial.settle(await trial.take(), retried(60_000));
    await limitKeys(trial, { ordered: false });
    assert.deepEqual(ids(await trial.claim()), [second]);
  });

  it('limits of one queue are no matter of another, and a limit that makes no sense changes nothing', async (trial) => {
    await trial.store.configureQueue('other', { limits: { concurrency: 1 } });
    await assert.rejects(trial.store.configureQueue('q', { limits: { concurrency: 0 } }), {
      code: 'OPTION_INVALID',
    });
    assert.deepEqual(
      (await trial.store.queues()).map(({ name }) => name),
      ['other'],
    );
    const all = await add(trial, 4, null);
    assert.deepEqual(ids(await trial.claim()), all);
  });

  it(
    'limits and held jobs survive a reopened store',
    async (trial) => {
      await limitKeys(trial, { ordered: true });
      const all = await add(trial, 3, 'k');
      const other = await trial.reopen();
      await trial.store.close();
      const { leases } = await other.claim(claimRequest());
      assert.deepEqual(ids(leases), all.slice(0, 1));
    },
    'durable',
  );

  for (const seed of [1, 2, 3])
    it(`a long run breaks no limit, keeps the order and ends every job (seed ${seed})`, (trial) =>
      limitRun(trial, seed));

  it(
    'limits hold when two connections claim and settle at once',
    async (trial) => {
      const stores = [trial.store, await trial.reopen()];
      await trial.store.configureQueue('q', { limits: { concurrency: 4, perKey: { ordered: true } } });
      const specs = Array.from({ length: 120 }, (_, index) => spec({ key: `k${index % 6}` }));
      await trial.store.enqueue(specs, { now: T0 });
      const running = new Set<string>();
      const started: string[] = [];
      const work = async (index: number): Promise<void> => {
        const store = stores[index % 2] ?? trial.store;
        while (started.length < specs.length) {
          const { leases } = await store.claim(claimRequest({ workerId: `w${index}`, limit: 3 }));
          for (const { id, key } of leases) {
            assert.ok(!running.has(key ?? ''), `two jobs of ${key} ran at once`);
            running.add(key ?? '');
            started.push(id);
          }
          assert.ok(running.size <= 4, `${running.size} jobs ran at once`);
          for (const { id, key, token } of leases) {
            // Forgotten before it is settled: another may start the next as soon as it is.
            running.delete(key ?? '');
            await store.settle([{ id, token, outcome: completed() }], { now: T0 });
          }
        }
      };
      await Promise.all(Array.from({ length: 4 }, (_, index) => work(index)));
      for (let key = 0; key < 6; key += 1) {
        const mine = ids(specs.filter((one) => one.key === `k${key}`));
        assert.deepEqual(
          started.filter((id) => mine.includes(id)),
          mine,
        );
      }
    },
    'shared',
  );
}

async function setRate(trial: Trial, rate: Rate): Promise<void> {
  await trial.store.configureQueue('q', { limits: { rate } });
}
