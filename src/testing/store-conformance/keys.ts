import assert from 'node:assert/strict';
import { KEY_WINDOW, type KeyLimits } from '../../core/limits.ts';
import type { Lease } from '../../store/store.ts';
import type { It } from './area.ts';
import { completed, failed, ids, LEASE_MS, only, retried, spec, T0, type Trial } from './trial.ts';

/** What ends a running job's stay in the line of its key, or ready one's. */
const LEAVES: Readonly<Record<string, (trial: Trial, lease: Lease) => Promise<unknown>>> = {
  'it completes': (trial, lease) => trial.settle(lease, completed()),
  'it fails': (trial, lease) => trial.settle(lease, failed()),
  'it is to be retried later': (trial, lease) => trial.settle(lease, retried(60_000)),
  'it snoozes': (trial, lease) => trial.settle(lease, { type: 'snoozed', delayMs: 60_000 }),
  'it is cancelled': (trial, lease) => trial.settle(lease, { type: 'cancelled', error: null }),
  'its worker dies once too often': ({ store }) => store.reap({ now: T0 + LEASE_MS, crashesMax: 1 }),
  'it is cleared': ({ store }) => store.clear('q', ['running']),
  'it is given back and cancelled': async (trial, lease) => {
    await trial.settle(lease, { type: 'released' });
    await trial.control({ type: 'cancel', id: lease.id });
  },
  'it is given back and removed': async (trial, lease) => {
    await trial.settle(lease, { type: 'released' });
    await trial.control({ type: 'remove', id: lease.id });
  },
  'it is given back and put off by an operator': async (trial, lease) => {
    await trial.settle(lease, { type: 'released' });
    await trial.control({ type: 'reschedule', id: lease.id, dueAt: T0 + 60_000 });
  },
};

/** What brings a running job back to its place in the line. */
const STAYS: Readonly<Record<string, (trial: Trial, lease: Lease) => Promise<unknown>>> = {
  'is given back': (trial, lease) => trial.settle(lease, { type: 'released' }),
  'is retried at once': (trial, lease) => trial.settle(lease, retried()),
  'lost its worker': ({ store }) => store.reap({ now: T0 + LEASE_MS }),
  'is given back by a worker that retires': ({ store }) => store.retire('w1', { now: T0 }),
};

export function keysArea(it: It): void {
  it('of one key, only so many are in the line; the others are ready and held', async (trial) => {
    const all = await add(trial, KEY_WINDOW + 2, 'k');
    assert.deepEqual(await held(trial), all.slice(KEY_WINDOW));
    assert.equal(only(await trial.store.queues()).counts.ready, KEY_WINDOW + 2);
    assert.deepEqual(ids(await trial.claim()), all.slice(0, KEY_WINDOW));
    assert.deepEqual(ids(await trial.claim()), []);
    assert.equal((await trial.job(all[KEY_WINDOW] ?? '')).key, 'k');
  });

  it('other keys, other queues and jobs without a key are not held up', async (trial) => {
    await limitKeys(trial, { concurrency: 1 });
    const [first] = await add(trial, 2, 'k');
    const others = [await trial.add({ key: 'K' }), await trial.add(), await trial.add()];
    const elsewhere = await trial.add({ key: 'k', queue: 'other' });
    assert.deepEqual(ids(await trial.claim()), [first, ...others]);
    assert.deepEqual(ids(await trial.claim({ queues: ['other'] })), [elsewhere]);
  });

  for (const [what, leave] of Object.entries(LEAVES))
    it(`the next of a key is let in when ${what}`, async (trial) => {
      await limitKeys(trial, { concurrency: 1 });
      const [first, second, third] = (await add(trial, 3, 'k')) as [string, string, string];
      const lease = await trial.take();
      assert.equal(lease.id, first);
      assert.deepEqual(await held(trial), [second, third]);
      await leave(trial, lease);
      assert.deepEqual(await held(trial), [third]);
      assert.deepEqual(ids(await trial.claim({ now: T0 + 1 })), [second]);
    });

  for (const [what, back] of Object.entries(STAYS))
    it(`a job that ${what} keeps its place, and the others wait`, async (trial) => {
      await limitKeys(trial, { concurrency: 1 });
      const [first, second] = (await add(trial, 2, 'k')) as [string, string];
      const behind = await trial.add();
      await back(trial, await trial.take());
      assert.deepEqual(await held(trial), [second]);
      assert.deepEqual(ids(await trial.claim()), [first, behind]);
    });

  it('keys take turns: a job behind many of another key starts within its window', async (trial) => {
    await add(trial, 100, 'a');
    const b = await trial.add({ key: 'b' });
    const starts: string[] = [];
    while (!starts.includes(b)) {
      const lease = await trial.take();
      starts.push(lease.id);
      await trial.settle(lease, completed());
    }
    assert.equal(starts.length, KEY_WINDOW + 1);
  });

  it('a lower priority goes first among the held, and in the line', async (trial) => {
    await limitKeys(trial, { concurrency: 1 });
    const order: string[] = [await trial.add({ key: 'k' })];
    const [later, sooner] = [await trial.add({ key: 'k' }), await trial.add({ key: 'k' })];
    await trial.control({ type: 'reprioritize', id: sooner, priority: -1 });
    order.push(sooner, later);
    assert.deepEqual(await drain(trial), order);
  });

  it('a job that becomes due takes its turn, or is held', async (trial) => {
    await limitKeys(trial, { concurrency: 1 });
    const late = await trial.add({ key: 'k', delayMs: 20 });
    const soon = await trial.add({ key: 'k', delayMs: 10 });
    assert.deepEqual(await held(trial), []);
    assert.deepEqual(ids(await trial.claim({ now: T0 + 20 })), [soon]);
    assert.deepEqual(await held(trial), [late]);
  });

  it('a redriven job, and one that is due now, wait for their turn', async (trial) => {
    await limitKeys(trial, { concurrency: 1 });
    const lease = await trial.start({ key: 'k' });
    await trial.settle(lease, failed());
    const delayed = await trial.add({ key: 'k', delayMs: 500 });
    await trial.start({ key: 'k' });
    await trial.control({ type: 'redrive', id: lease.id });
    await trial.control({ type: 'reschedule', id: delayed, dueAt: T0 });
    assert.deepEqual(await held(trial), [lease.id, delayed]);
    assert.deepEqual(await trial.claim(), []);
  });

  it('a replaced job leaves the line of its old key and takes its turn in that of its new one', async (trial) => {
    await limitKeys(trial, { concurrency: 1 });
    const unique = { key: 'store/u', mode: 'replace', periodMs: 0 } as const;
    const moving = await trial.add({ key: 'old', unique });
    const [next, inNew] = [await trial.add({ key: 'old' }), await trial.add({ key: 'new' })];
    assert.equal((await trial.enqueue({ key: 'new', unique })).status, 'replaced');
    assert.deepEqual(await held(trial), [moving]);
    assert.deepEqual(ids(await trial.claim()), [inNew, next]);
    await trial.enqueue({ key: null, unique });
    assert.deepEqual(ids(await trial.claim()), [moving]);
  });

  it('in order, a key runs one job at a time, and a failed one is retried before the next', async (trial) => {
    await limitKeys(trial, { ordered: true });
    const [first, second, third] = (await add(trial, 3, 'k')) as [string, string, string];
    const seen: [string, number][] = [];
    let now = T0;
    for (const outcome of [retried(5_000), { type: 'snoozed', delayMs: 700 } as const, retried(0)]) {
      const lease = await trial.take({ now });
      seen.push([lease.id, now - T0]);
      assert.deepEqual(await trial.claim({ now }), []);
      await trial.settle(lease, outcome, now);
      if ('delayMs' in outcome && outcome.delayMs > 0) {
        assert.deepEqual(await trial.claim({ now: now + outcome.delayMs - 1 }), []);
        now += outcome.delayMs;
      }
    }
    assert.deepEqual(seen, [
      [first, 0],
      [first, 5_000],
      [first, 5_700],
    ]);
    assert.deepEqual(await drain(trial, now), [first, second, third]);
  });

  it('in order, a job that was enqueued for later holds nobody up before it is due', async (trial) => {
    await limitKeys(trial, { ordered: true });
    const later = await trial.add({ key: 'k', delayMs: 9_000 });
    const [first, second] = (await add(trial, 2, 'k')) as [string, string];
    const lease = await trial.take();
    assert.equal(lease.id, first);
    await trial.settle(lease, completed());
    assert.deepEqual(await drain(trial, T0 + 9_000), [second, later]);
  });

  it('in order, an operator who gives the head another time lets the others pass', async (trial) => {
    await limitKeys(trial, { ordered: true });
    const [first, second] = (await add(trial, 2, 'k')) as [string, string];
    await trial.settle(await trial.take(), retried(5_000));
    await trial.control({ type: 'reprioritize', id: first, priority: 0 });
    assert.deepEqual(await held(trial), [second]);
    await trial.control({ type: 'reschedule', id: first, dueAt: T0 + 9_000 });
    assert.deepEqual(ids(await trial.claim()), [second]);
  });
}

export async function limitKeys(trial: Trial, perKey: Partial<KeyLimits>, now = T0): Promise<void> {
  await trial.store.configureQueue('q', { limits: { perKey } }, { now });
}

export async function add(trial: Trial, count: number, key: string | null): Promise<string[]> {
  const specs = Array.from({ length: count }, () => spec({ key }));
  await trial.store.enqueue(specs, { now: T0 });
  return ids(specs);
}

/** The held jobs of all queues, oldest first. */
export async function held(trial: Trial): Promise<string[]> {
  const { jobs } = await trial.store.list({ limit: 1_000 });
  return ids(jobs.filter((job) => job.held)).reverse();
}

/** Claims and completes one by one until nothing is claimable; the order. */
export async function drain(trial: Trial, now = T0): Promise<string[]> {
  const order: string[] = [];
  for (;;) {
    const leases = await trial.claim({ limit: 1, now });
    if (leases.length === 0) return order;
    for (const lease of leases) {
      order.push(lease.id);
      await trial.settle(lease, completed(), now);
    }
  }
}
