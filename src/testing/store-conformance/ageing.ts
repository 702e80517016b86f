import assert from 'node:assert/strict';
import type { Ageing } from '../../core/ageing.ts';
import type { It } from './area.ts';
import { ids, only, T0, type Trial } from './trial.ts';

const EVERY = 10_000;
const AGEING: Ageing = { everyMs: EVERY, floor: -3 };

export function ageingArea(it: It): void {
  it('settings tell the ageing, and null ends it', async ({ store }) => {
    assert.deepEqual((await store.configureQueue('q', { ageing: AGEING })).ageing, AGEING);
    assert.deepEqual((await store.configureQueue('q', { paused: true })).ageing, AGEING);
    assert.deepEqual(only(await store.queues()).ageing, AGEING);
    assert.equal((await store.configureQueue('q', { ageing: null })).ageing, null);
    assert.equal(only(await store.queues()).ageing, null);
  });

  it('ageing that makes no sense is refused, and nothing is changed', async ({ store }) => {
    await store.configureQueue('q', { ageing: AGEING });
    for (const ageing of [
      { everyMs: 999, floor: 0 },
      { everyMs: Number.NaN, floor: 0 },
      { everyMs: EVERY, floor: 0.5 },
      { everyMs: EVERY, floor: -(2 ** 31) },
      'often' as never,
    ])
      await assert.rejects(store.configureQueue('q', { paused: true, ageing }), { code: 'OPTION_INVALID' });
    const { ageing, pausedAt } = only(await store.queues());
    assert.deepEqual([ageing, pausedAt], [AGEING, null]);
  });

  it('each sweep lowers the priority of what has waited, down to the floor and no further', async (trial) => {
    await set(trial);
    const [old, atFloor, below] = [
      await trial.add({ priority: -1 }),
      await trial.add({ priority: -3 }),
      await trial.add({ priority: -7 }),
    ];
    const young = await trial.add({}, T0 + 1);
    assert.deepEqual(await trial.store.age({ now: T0 + EVERY - 1 }), { aged: 0, more: false, nextMs: 1 });
    assert.deepEqual(await trial.store.age({ now: T0 + EVERY }), { aged: 1, more: false, nextMs: EVERY });
    assert.deepEqual(await priorities(trial, [old, atFloor, below, young]), [-2, -3, -7, 0]);
    assert.equal((await trial.store.age({ now: T0 + 2 * EVERY - 1 })).aged, 0);
    assert.equal((await trial.store.age({ now: T0 + 2 * EVERY })).aged, 2);
    assert.equal((await trial.store.age({ now: T0 + 3 * EVERY })).aged, 1);
    assert.deepEqual(await priorities(trial, [old, atFloor, below, young]), [-3, -3, -7, -2]);
  });

  it('an old job comes before newer ones of a better priority', async (trial) => {
    await set(trial);
    const old = await trial.add({ priority: 1 });
    await trial.store.age({ now: T0 + EVERY });
    await trial.store.age({ now: T0 + 2 * EVERY });
    const young = await trial.add({ priority: 0 }, T0 + 2 * EVERY);
    assert.deepEqual(ids(await trial.claim({ now: T0 + 2 * EVERY })), [old, young]);
  });

  it('other queues, and jobs that are not ready, keep their priority', async (trial) => {
    await set(trial);
    const running = (await trial.start()).id;
    const scheduled = await trial.add({ delayMs: 10 * EVERY });
    const [other, ready] = [await trial.add({ queue: 'other' }), await trial.add()];
    const cancelled = await trial.add();
    await trial.control({ type: 'cancel', id: cancelled });
    assert.equal((await trial.store.age({ now: T0 + EVERY })).aged, 1);
    assert.deepEqual(
      await priorities(trial, [running, scheduled, other, cancelled, ready]),
      [0, 0, 0, 0, -1],
    );
  });

  it('held jobs age as well, and those that were let in', async (trial) => {
    await set(trial);
    await trial.store.configureQueue('q', { limits: { perKey: { concurrency: 1 } } }, { now: T0 });
    const jobs: string[] = [];
    for (const key of ['a', 'a', 'a', 'b', 'b', null]) jobs.push(await trial.add({ key }));
    await trial.control({ type: 'cancel', id: jobs[0] ?? '' });
    const waiting = jobs.slice(1);
    assert.equal((await trial.store.age({ now: T0 + EVERY })).aged, 5);
    assert.deepEqual(await priorities(trial, waiting), [-1, -1, -1, -1, -1]);
    assert.equal((await trial.store.age({ now: T0 + 2 * EVERY, limit: 1 })).more, true);
    await finish(trial, T0 + 2 * EVERY + 5, 1);
    assert.deepEqual(await priorities(trial, waiting), [-2, -2, -2, -2, -2]);
  });

  for (const limit of [1, 2, 3, 7, 100]) {
    it(`a sweep in batches of ${limit} ages each job once`, async (trial) => {
      await set(trial);
      const jobs: string[] = [];
      for (const priority of [3, 2, 2, 1, 0, 3, -1, -2, -3])
        for (const key of [null, 'k']) jobs.push(await trial.add({ priority, key }));
      const before = await priorities(trial, jobs);
      const first = await trial.store.age({ now: T0 + EVERY, limit });
      assert.deepEqual([first.aged <= limit, first.more], [true, limit < 16]);
      if (first.more) assert.equal(first.nextMs, 0);
      const rest = first.more ? await finish(trial, T0 + EVERY + 3, limit) : 0;
      assert.equal(first.aged + rest, 16);
      const lowered = before.map((priority) => Math.max(priority - 1, -3));
      assert.deepEqual(await priorities(trial, jobs), lowered);
      assert.equal((await trial.store.age({ now: T0 + EVERY + 3 })).aged, 0);
    });
  }

  it('after a long time without a sweep there is one, not many', async (trial) => {
    await set(trial);
    const job = await trial.add();
    assert.equal((await trial.store.age({ now: T0 + 100 * EVERY })).aged, 1);
    const again = await trial.store.age({ now: T0 + 100 * EVERY });
    assert.deepEqual(again, { aged: 0, more: false, nextMs: EVERY });
    assert.deepEqual(await priorities(trial, [job]), [-1]);
  });

  it('a change of the settings keeps the time of the last sweep', async (trial) => {
    await set(trial);
    await trial.store.configureQueue('q', { ageing: { everyMs: 5_000, floor: -1 } }, { now: T0 + 4_000 });
    assert.equal((await trial.store.age({ now: T0 + 4_999 })).nextMs, 1);
  });

  it('without ageing nothing is due', async (trial) => {
    const job = await trial.add();
    assert.deepEqual(await trial.store.age({ now: T0 + 1e9 }), { aged: 0, more: false, nextMs: null });
    await set(trial);
    await trial.store.configureQueue('q', { ageing: null });
    assert.deepEqual(await trial.store.age({ now: T0 + 1e9 }), { aged: 0, more: false, nextMs: null });
    assert.deepEqual(await priorities(trial, [job]), [0]);
  });
}

async function set({ store }: Trial): Promise<void> {
  await store.configureQueue('q', { ageing: AGEING }, { now: T0 });
}

/** Calls `age` while there is more; how many jobs it aged. */
async function finish({ store }: Trial, now: number, limit: number): Promise<number> {
  let aged = 0;
  for (let calls = 0; ; calls += 1) {
    assert.ok(calls < 200, 'the sweep ends');
    const receipt = await store.age({ now, limit });
    assert.ok(receipt.aged <= limit);
    aged += receipt.aged;
    if (!receipt.more) return aged;
  }
}

async function priorities({ store }: Trial, jobs: readonly string[]): Promise<number[]> {
  return (await store.get(jobs)).map((job) => job?.priority ?? Number.NaN);
}
