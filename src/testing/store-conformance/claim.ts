import assert from 'node:assert/strict';
import type { It } from './area.ts';
import { claimRequest, ids, LEASE_MS, retried, spec, T0 } from './trial.ts';

export function claimArea(it: It): void {
  it('a lease tells what running the job needs', async (trial) => {
    const id = await trial.add({
      queue: 'mail',
      task: 'send',
      priority: 4,
      key: 'k',
      input: '[1]',
      meta: '{}',
      attemptsMax: 6,
    });
    const { token, ...lease } = await trial.take({ queues: ['mail'], now: T0 + 250 });
    assert.ok(token.length > 0);
    assert.deepEqual(lease, {
      id,
      claimedAt: T0 + 250,
      queue: 'mail',
      task: 'send',
      key: 'k',
      input: '[1]',
      meta: '{}',
      attempt: 1,
      attemptsMax: 6,
      crashes: 0,
      priority: 4,
      createdAt: T0,
      dueAt: T0,
    });
  });

  it('a claimed job is running, with its worker, its start and the end of its lease', async (trial) => {
    const { id } = await trial.start();
    const { state, workerId, startedAt, leaseExpiresAt, attempt } = await trial.job(id);
    assert.deepEqual(
      { state, workerId, startedAt, leaseExpiresAt, attempt },
      { state: 'running', workerId: 'w1', startedAt: T0, leaseExpiresAt: T0 + LEASE_MS, attempt: 1 },
    );
  });

  it('a claimed job is not claimed again', async (trial) => {
    await trial.start();
    assert.deepEqual(await trial.claim({ workerId: 'w2' }), []);
  });

  it('the token changes at every claim', async (trial) => {
    const first = await trial.start({ attemptsMax: 9 });
    await trial.settle(first, retried());
    const second = await trial.take();
    await trial.settle(second, { type: 'released' });
    const third = await trial.take();
    assert.equal(new Set([first.token, second.token, third.token]).size, 3);
  });

  it('jobs of one time leave in the order they came', async (trial) => {
    const specs = Array.from({ length: 50 }, () => spec());
    for (const one of specs) await trial.enqueue(one);
    assert.deepEqual(ids(await trial.claim()), ids(specs));
  });

  it('jobs leave in the order they came when the clock steps back', async (trial) => {
    const order: string[] = [];
    for (let step = 0; step < 10; step += 1) order.push(await trial.add({}, T0 - step * 60_000));
    assert.deepEqual(ids(await trial.claim()), order);
  });

  it('lower priorities leave first, and each in the order it came', async (trial) => {
    const order: Record<number, string[]> = { [-3]: [], 0: [], 2: [], 2147483647: [], [-2147483648]: [] };
    for (const priority of [0, 2, 2147483647, -3, 0, -2147483648, 2, -3, 0])
      order[priority]?.push(await trial.add({ priority }));
    const expected = [-2147483648, -3, 0, 2, 2147483647].flatMap((priority) => order[priority]);
    assert.deepEqual(ids(await trial.claim()), expected);
  });

  it('queues are looked at in the order of the request, whatever the priorities', async (trial) => {
    const low = await trial.add({ queue: 'first', priority: 100 });
    const high = await trial.add({ queue: 'second', priority: -100 });
    assert.deepEqual(ids(await trial.claim({ queues: ['first', 'second'] })), [low, high]);
  });

  it('other queues and unknown ones are left alone', async (trial) => {
    await trial.add({ queue: 'other' });
    assert.deepEqual(await trial.claim({ queues: ['q', 'unheard of'] }), []);
    assert.deepEqual(await trial.claim({ queues: [] }), []);
  });

  it('no more jobs than the limit are claimed, over all queues', async (trial) => {
    const specs = ['a', 'a', 'b', 'b', 'b'].map((queue) => spec({ queue }));
    await trial.store.enqueue(specs, { now: T0 });
    const taken = [];
    for (const limit of [3, 1, 5]) taken.push(ids(await trial.claim({ queues: ['a', 'b'], limit })));
    const all = ids(specs);
    assert.deepEqual(taken, [all.slice(0, 3), all.slice(3, 4), all.slice(4)]);
  });

  it('a limit of 0 claims nothing and still tells when to come back', async (trial) => {
    await trial.add();
    await trial.add({ delayMs: 900 });
    const receipt = await trial.store.claim(claimRequest({ limit: 0 }));
    assert.deepEqual(receipt, { now: T0, leases: [], nextDueAt: T0 + 900 });
  });

  it('a scheduled job is claimed from the millisecond it is due', async (trial) => {
    const id = await trial.add({ delayMs: 1_000 });
    assert.deepEqual(await trial.claim({ now: T0 + 999 }), []);
    const lease = await trial.take({ now: T0 + 1_000 });
    assert.deepEqual([lease.id, lease.dueAt, lease.claimedAt], [id, T0 + 1_000, T0 + 1_000]);
  });

  it('a job that became due takes its place by its age, before younger ready jobs', async (trial) => {
    const delayed = await trial.add({ delayMs: 1_000 });
    const ready = await trial.add();
    const urgent = await trial.add({ priority: -1, delayMs: 1_000 });
    assert.deepEqual(ids(await trial.claim({ now: T0 + 1_000 })), [urgent, delayed, ready]);
  });

  it('a job that failed once takes its old place in the line', async (trial) => {
    const older = await trial.start();
    const younger = await trial.add();
    await trial.settle(older, retried());
    assert.deepEqual(ids(await trial.claim()), [older.id, younger]);
  });

  it('nextDueAt is the earliest time among what is still scheduled', async (trial) => {
    const { store } = trial;
    assert.equal((await store.claim(claimRequest())).nextDueAt, null);
    for (const delayMs of [5_000, 2_000, 9_000]) await trial.add({ delayMs });
    await trial.add({ delayMs: 1_000, queue: 'other' });
    assert.equal((await store.claim(claimRequest())).nextDueAt, T0 + 2_000);
    assert.equal((await store.claim(claimRequest({ queues: ['q', 'other'] }))).nextDueAt, T0 + 1_000);
    const later = await store.claim(claimRequest({ now: T0 + 2_000 }));
    assert.deepEqual([later.leases.length, later.nextDueAt], [1, T0 + 5_000]);
    assert.equal((await store.claim(claimRequest({ now: T0 + 9_000 }))).nextDueAt, null);
  });

  it('nextDueAt passes over paused queues', async (trial) => {
    await trial.add({ delayMs: 1_000, queue: 'paused' });
    await trial.add({ delayMs: 5_000 });
    await trial.store.configureQueue('paused', { paused: true });
    const { nextDueAt } = await trial.store.claim(claimRequest({ queues: ['paused', 'q'] }));
    assert.equal(nextDueAt, T0 + 5_000);
  });
}
