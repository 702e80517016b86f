import assert from 'node:assert/strict';
import { JOB_STATES } from '../../core/job-state.ts';
import { LIMITS_NONE } from '../../core/limits.ts';
import { type JobSpec, RETENTION_DEFAULT } from '../../store/store.ts';
import type { It } from './area.ts';
import { BROUGHT_STATES, claimRequest, completed, ids, only, retried, spec, T0 } from './trial.ts';

export function queuesArea(it: It): void {
  it('a paused queue is passed over until it is resumed', async (trial) => {
    const { store } = trial;
    const [job, other] = [await trial.add(), await trial.add({ queue: 'other' })];
    await store.configureQueue('q', { paused: true }, { now: T0 });
    assert.deepEqual(ids(await trial.claim({ queues: ['q', 'other'] })), [other]);
    await store.configureQueue('q', { paused: false }, { now: T0 });
    assert.deepEqual(ids(await trial.claim({ queues: ['q', 'other'] })), [job]);
  });

  it("while '*' is paused nothing is claimed anywhere, and nothing is due", async (trial) => {
    const { store } = trial;
    const job = await trial.add();
    await trial.add({ delayMs: 10, queue: 'other' });
    await store.configureQueue('*', { paused: true }, { now: T0 });
    const queues = ['q', 'other'];
    assert.deepEqual(await store.claim(claimRequest({ queues })), { now: T0, leases: [], nextDueAt: null });
    await store.configureQueue('*', { paused: false }, { now: T0 });
    const receipt = await store.claim(claimRequest({ queues }));
    assert.deepEqual([ids(receipt.leases), receipt.nextDueAt], [[job], T0 + 10]);
  });

  it('a queue tells for how long the first of its line are claimable, held and scheduled jobs aside', async (trial) => {
    const { store } = trial;
    await trial.add({ queue: 'older' }, T0);
    await trial.add({ queue: 'older', priority: -1 }, T0 + 60);
    await trial.add({ queue: 'newer' }, T0 + 50);
    await trial.add({ queue: 'later', delayMs: 3_600_000_000_000 });
    const lease = await trial.start({ queue: 'again' });
    await trial.settle(lease, retried(0), T0 + 70);
    const age = new Map((await store.queues()).map(({ name, oldestReadyMs }) => [name, oldestReadyMs]));
    assert.equal(age.get('later'), null);
    assert.ok((age.get('newer') ?? 0) > 0);
    const than = (queue: string): number => (age.get('older') ?? 0) - (age.get(queue) ?? 0);
    assert.deepEqual([than('newer'), than('again')], [50, 70]);
  });

  it('a pause does not touch running jobs, nor enqueues', async (trial) => {
    const lease = await trial.start();
    await trial.store.configureQueue('q', { paused: true });
    assert.deepEqual(await trial.settle(lease, completed()), { status: 'settled', state: 'completed' });
    assert.equal((await trial.enqueue()).status, 'created');
    assert.equal((await trial.enqueue({ delayMs: 5 })).status, 'created');
  });

  it('pausing again keeps the time of the first pause', async ({ store }) => {
    assert.equal((await store.configureQueue('q', { paused: true }, { now: T0 })).pausedAt, T0);
    assert.equal((await store.configureQueue('q', { paused: true }, { now: T0 + 50 })).pausedAt, T0);
    assert.equal((await store.configureQueue('q', { paused: false }, { now: T0 + 60 })).pausedAt, null);
    assert.equal((await store.configureQueue('q', { paused: true }, { now: T0 + 70 })).pausedAt, T0 + 70);
  });

  it('settings change one by one and are told whole', async ({ store }) => {
    const initial = {
      name: 'q',
      pausedAt: null,
      retention: RETENTION_DEFAULT,
      limits: LIMITS_NONE,
      ageing: null,
    };
    assert.deepEqual(await store.configureQueue('q', {}), initial);
    const failed = { ageMs: null, count: 5 };
    const retention = { ...RETENTION_DEFAULT, failed };
    assert.deepEqual(await store.configureQueue('q', { retention: { failed } }), { ...initial, retention });
    await store.configureQueue('q', { paused: true }, { now: T0 });
    const completed = { ageMs: 1_000, count: null };
    assert.deepEqual(await store.configureQueue('q', { retention: { completed } }), {
      name: 'q',
      pausedAt: T0,
      retention: { ...retention, completed },
      limits: LIMITS_NONE,
      ageing: null,
    });
    const rate = { count: 3, perMs: 1_000 };
    const limits = { ...LIMITS_NONE, rate };
    assert.deepEqual((await store.configureQueue('q', { limits: { rate } })).limits, limits);
    const perKey = { ...LIMITS_NONE.perKey, ordered: true };
    const told = await store.configureQueue('q', { limits: { perKey: { ordered: true } } });
    assert.deepEqual(told, {
      name: 'q',
      pausedAt: T0,
      retention: told.retention,
      limits: { ...limits, perKey },
      ageing: null,
    });
    assert.deepEqual(only(await store.queues()).limits, { ...limits, perKey });
  });

  it('queues with jobs or settings are listed by name, with counts of every state', async (trial) => {
    for (const state of BROUGHT_STATES)
      for (let job = 0; job <= BROUGHT_STATES.indexOf(state); job += 1)
        await trial.bring(await trial.add({ queue: `jobs ${state}` }), `jobs ${state}`, state);
    await trial.store.configureQueue('an empty one', { paused: true }, { now: T0 });
    const records = await trial.store.queues();
    const names = ['an empty one', ...BROUGHT_STATES.map((state) => `jobs ${state}`)].sort();
    assert.deepEqual(
      records.map(({ name }) => name),
      names,
    );
    for (const { name, counts, pausedAt, retention } of records) {
      const expected = Object.fromEntries(
        JOB_STATES.map((state) => [
          state,
          name === `jobs ${state}` ? BROUGHT_STATES.indexOf(state as never) + 1 : 0,
        ]),
      );
      assert.deepEqual(counts, expected);
      assert.equal(pausedAt, name === 'an empty one' ? T0 : null);
      assert.deepEqual(retention, RETENTION_DEFAULT);
    }
  });

  it('clear deletes the jobs of the queue in the states given, and nothing else', async (trial) => {
    const kept: string[] = [];
    for (const queue of ['q', 'other'])
      for (const state of BROUGHT_STATES) {
        // So that the ready one is not claimed in place of the next.
        const id = await trial.add({ queue, priority: state === 'ready' ? 1 : 0 });
        await trial.bring(id, queue, state);
        if (queue === 'other' || (state !== 'ready' && state !== 'failed')) kept.push(id);
      }
    assert.equal(await trial.store.clear('q', []), 0);
    assert.equal(await trial.store.clear('nowhere', JOB_STATES), 0);
    assert.equal(await trial.store.clear('q', ['ready', 'failed']), 2);
    assert.deepEqual(ids((await trial.store.list({ limit: 50 })).jobs).reverse(), kept);
    assert.equal(await trial.store.clear('q', JOB_STATES), 4);
    assert.deepEqual(
      (await trial.store.queues()).map(({ name }) => name),
      ['other'],
    );
  });

  it('clear of many jobs goes in steps: an enqueue passes between them, and what it added stays', async (trial) => {
    const { store } = trial;
    const batch = (length: number, changes: Partial<JobSpec>): JobSpec[] =>
      Array.from({ length }, () => spec({ queue: 'many', ...changes }));
    for (const changes of [{}, { key: 'k' }, { delayMs: 3_600_000 }])
      await store.enqueue(batch(5_000, changes), { now: T0 });
    let cleared = false;
    const clearing = store.clear('many', ['ready', 'scheduled']).finally(() => {
      cleared = true;
    });
    const [added] = await store.enqueue(batch(1, {}), { now: T0 });
    assert.equal(cleared, false);
    assert.equal(await clearing, 15_000);
    assert.deepEqual(ids((await store.list({ queue: 'many', limit: 10 })).jobs), [added?.id]);
  });

  it('clear of running jobs leaves their worker nothing to settle or to hold', async (trial) => {
    const lease = await trial.start();
    assert.equal(await trial.store.clear('q', ['running']), 1);
    assert.deepEqual(await trial.settle(lease, completed()), { status: 'lost' });
    assert.deepEqual((await trial.store.reap({ now: T0 + 900_000 })).reaped, []);
    assert.equal(await trial.store.trail(lease.id), null);
    assert.equal(only(await trial.store.get([lease.id])), null);
  });
}
