import assert from 'node:assert/strict';
import { type JobState, TERMINAL_STATES } from '../../core/job-state.ts';
import type { Keep } from '../../store/store.ts';
import type { It } from './area.ts';
import { completed, failed, ids, LEASE_MS, only, T0, type Trial } from './trial.ts';

const FOREVER: Keep = { ageMs: null, count: null };
const NOTHING: readonly Keep[] = [
  { ageMs: 0, count: null },
  { ageMs: null, count: 0 },
  { ageMs: 0, count: 0 },
];
const LATER = T0 + 1_000 * 86_400_000;

export function retentionArea(it: It): void {
  it('jobs that ended longer ago than the age are pruned, the rest stay', async (trial) => {
    await trial.store.configureQueue('q', { retention: { completed: { ageMs: 10_000, count: null } } });
    const all = await finishedJobs(trial, 4, 1_000);
    const receipt = await trial.store.prune({ now: T0 + 11_500 });
    assert.deepEqual([receipt.jobs, receipt.more], [2, false]);
    assert.deepEqual(await left(trial), all.slice(2));
    assert.deepEqual(await trial.store.trail(all[0] ?? ''), null);
  });

  it('of more jobs than the count, those that ended last stay', async (trial) => {
    await trial.store.configureQueue('q', { retention: { completed: { ageMs: null, count: 3 } } });
    const all = await finishedJobs(trial, 5, 1_000);
    assert.equal((await trial.store.prune({ now: LATER })).jobs, 2);
    assert.deepEqual(await left(trial), all.slice(2));
    assert.equal((await trial.store.prune({ now: LATER })).jobs, 0);
  });

  it(
    'of more bytes than the bound, what ended last stays; another change keeps the bound',
    async (trial) => {
      const completed: Keep = { ageMs: null, count: null, bytes: 25_000 };
      const told = await trial.store.configureQueue('q', { retention: { completed } });
      assert.deepEqual(told.retention.completed, completed);
      const all = await finishedJobs(trial, 5, 1_000, 'x'.repeat(10_000));
      assert.equal((await trial.store.prune({ now: LATER })).jobs, 3);
      assert.deepEqual(await left(trial), all.slice(3));
      assert.equal((await trial.store.prune({ now: LATER })).jobs, 0);
      const less: Keep = { ...completed, bytes: 15_000 };
      await trial.store.configureQueue('q', { retention: { completed: less } });
      assert.deepEqual((await trial.store.configureQueue('q', { paused: false })).retention.completed, less);
      assert.equal((await trial.store.prune({ now: LATER })).jobs, 1);
      assert.deepEqual(await left(trial), all.slice(4));
    },
    'retentionBytes',
  );

  it('age and count bound together', async (trial) => {
    await trial.store.configureQueue('q', { retention: { completed: { ageMs: 10_000, count: 3 } } });
    const all = await finishedJobs(trial, 5, 1_000);
    assert.equal((await trial.store.prune({ now: T0 + 13_500 })).jobs, 4);
    assert.deepEqual(await left(trial), all.slice(4));
  });

  it('null sets no bound', async (trial) => {
    await trial.store.configureQueue('q', { retention: { completed: FOREVER } });
    await finishedJobs(trial, 3, 1_000);
    assert.equal((await trial.store.prune({ now: LATER })).jobs, 0);
  });

  it('without settings, finished jobs stay a week, dead letters 90 days', async (trial) => {
    const day = 86_400_000;
    await finishedJobs(trial, 1, 0);
    await trial.settle(await trial.start(), failed());
    assert.equal((await trial.store.prune({ now: T0 + 7 * day - 1 })).jobs, 0);
    assert.equal((await trial.store.prune({ now: T0 + 7 * day + 1 })).jobs, 1);
    assert.equal((await trial.store.prune({ now: T0 + 90 * day - 1 })).jobs, 0);
    assert.equal((await trial.store.prune({ now: T0 + 90 * day + 1 })).jobs, 1);
  });

  for (const keep of NOTHING) {
    it(`a retention of ${JSON.stringify(keep)} deletes a job at its end`, async (trial) => {
      await trial.store.configureQueue('q', {
        retention: { completed: keep, failed: keep, cancelled: keep },
      });
      const ended: Record<string, JobState | null> = {};
      const lease = await trial.start();
      assert.deepEqual(await trial.settle(lease, completed('1')), { status: 'settled', state: 'completed' });
      ended.completed = await trial.state(lease.id);
      const dead = await trial.start();
      assert.deepEqual(await trial.settle(dead, failed()), { status: 'settled', state: 'failed' });
      ended.failed = await trial.state(dead.id);
      const waiting = await trial.add();
      assert.deepEqual(await trial.control({ type: 'cancel', id: waiting }), {
        status: 'done',
        state: 'cancelled',
      });
      ended.cancelled = await trial.state(waiting);
      const crashed = await trial.start();
      const { reaped } = await trial.store.reap({ now: T0 + LEASE_MS, crashesMax: 1 });
      assert.equal(only(reaped).state, 'failed');
      ended.crashed = await trial.state(crashed.id);
      assert.deepEqual(ended, { completed: null, failed: null, cancelled: null, crashed: null });
      assert.deepEqual(await left(trial), []);
      assert.equal(await trial.store.trail(dead.id), null);
    });
  }

  it('a job resolved by hand is deleted where completed jobs are not kept', async (trial) => {
    await trial.store.configureQueue('q', { retention: { completed: { ageMs: 0, count: null } } });
    const lease = await trial.start();
    await trial.settle(lease, failed());
    const receipt = await trial.control({ type: 'resolve', id: lease.id, result: null });
    assert.deepEqual(receipt, { status: 'done', state: 'completed' });
    assert.equal(await trial.state(lease.id), null);
  });

  it('each queue and each state has its own bound', async (trial) => {
    for (const queue of ['a', 'b'])
      for (const state of TERMINAL_STATES) await trial.bring(await trial.add({ queue }), queue, state);
    const bound = { ageMs: 1_000, count: null };
    const retention = { completed: FOREVER, cancelled: FOREVER };
    await trial.store.configureQueue('a', { retention: { ...retention, failed: bound } });
    await trial.store.configureQueue('b', { retention: { ...retention, failed: FOREVER, completed: bound } });
    assert.equal((await trial.store.prune({ now: LATER })).jobs, 2);
    const states = Object.fromEntries((await trial.store.queues()).map(({ name, counts }) => [name, counts]));
    assert.deepEqual([states.a?.failed, states.a?.completed, states.a?.cancelled], [0, 1, 1]);
    assert.deepEqual([states.b?.failed, states.b?.completed, states.b?.cancelled], [1, 0, 1]);
  });

  it('a prune stops at its limit and says so', async (trial) => {
    await trial.store.configureQueue('q', { retention: { completed: { ageMs: 10, count: null } } });
    const all = await finishedJobs(trial, 5, 1_000);
    const first = await trial.store.prune({ now: LATER, limit: 2 });
    assert.deepEqual([first.jobs, first.more], [2, true]);
    assert.deepEqual(await left(trial), all.slice(2));
    assert.equal((await trial.store.prune({ now: LATER, limit: 2 })).more, true);
    const last = await trial.store.prune({ now: LATER, limit: 2 });
    assert.deepEqual([last.jobs, last.more], [1, false]);
  });

  it('jobs that live are never pruned, nor is a job that was redriven', async (trial) => {
    for (const state of ['completed', 'failed', 'cancelled'] as const)
      await trial.store.configureQueue('q', { retention: { [state]: { ageMs: 1, count: 1 } } });
    const redriven = await trial.start();
    await trial.settle(redriven, failed());
    await trial.control({ type: 'redrive', id: redriven.id });
    const living = [redriven.id, await trial.add(), await trial.add({ delayMs: 5 })];
    await trial.take();
    assert.equal((await trial.store.prune({ now: LATER })).jobs, 0);
    assert.deepEqual(await left(trial), living);
  });
}

/** Jobs that completed one after the other, from T0 on, in the order of their ends. */
async function finishedJobs(
  trial: Trial,
  count: number,
  everyMs: number,
  input: string | null = null,
): Promise<string[]> {
  const finished: string[] = [];
  for (let job = 0; job < count; job += 1) await trial.add(input === null ? {} : { input });
  const leases = await trial.claim();
  for (const [position, lease] of leases.entries()) {
    await trial.settle(lease, completed(), T0 + position * everyMs);
    finished.push(lease.id);
  }
  return finished;
}

/** Ids of all jobs, oldest first. */
async function left({ store }: Trial): Promise<string[]> {
  return ids((await store.list({ limit: 100 })).jobs).reverse();
}
