import assert from 'node:assert/strict';
import { newId } from '../../core/ids.ts';
import type { JobSpec } from '../../store/store.ts';
import { FakeClock } from '../fake-clock.ts';
import type { It } from './area.ts';
import { claimRequest, completed, ids, only, spec, T0 } from './trial.ts';

export function enqueueArea(it: It): void {
  it('a job is kept as it was given', async (trial) => {
    const given = spec({
      queue: 'mail',
      task: 'send',
      priority: -7,
      input: '[1]',
      attemptsMax: 9,
      key: 'k',
      meta: '{}',
    });
    assert.deepEqual(await trial.enqueue(given), { status: 'created', id: given.id, state: 'ready' });
    const { seq, ...job } = await trial.job(given.id);
    assert.ok(Number.isSafeInteger(seq));
    assert.deepEqual(job, {
      id: given.id,
      queue: 'mail',
      task: 'send',
      state: 'ready',
      priority: -7,
      input: '[1]',
      result: null,
      attempt: 0,
      attemptsMax: 9,
      crashes: 0,
      createdAt: T0,
      dueAt: T0,
      startedAt: null,
      finishedAt: null,
      uniqueKey: null,
      key: 'k',
      held: false,
      progress: null,
      meta: '{}',
      cancelRequested: false,
      workerId: null,
      leaseExpiresAt: null,
    });
  });

  it('receipts stand in the order of the request', async ({ store }) => {
    const specs = [
      spec({ delayMs: 50 }),
      spec(),
      spec({ queue: 'other', priority: 5 }),
      spec({ delayMs: 1 }),
    ];
    const receipts = await store.enqueue(specs, { now: T0 });
    assert.deepEqual(ids(receipts), ids(specs));
    assert.deepEqual(
      receipts.map(({ state }) => state),
      ['scheduled', 'ready', 'ready', 'scheduled'],
    );
  });

  it('an empty batch is answered with no receipts', async ({ store }) => {
    assert.deepEqual(await store.enqueue([]), []);
    assert.deepEqual(await store.queues(), []);
  });

  it('a batch of thousands is taken whole', async ({ store }) => {
    const specs = Array.from({ length: 5_000 }, () => spec());
    assert.deepEqual(ids(await store.enqueue(specs, { now: T0 })), ids(specs));
    const { leases } = await store.claim(claimRequest({ limit: 6_000 }));
    assert.deepEqual(ids(leases), ids(specs));
  });

  it('seq grows with every enqueue, in the order of the batch', async (trial) => {
    const specs = [spec({ priority: 3 }), spec({ delayMs: 10 }), spec({ queue: 'other' })];
    await trial.store.enqueue(specs, { now: T0 });
    const later = await trial.add({}, T0 - 5_000);
    const jobs = await trial.store.get([...ids(specs), later]);
    const seqs = jobs.map((job) => job?.seq ?? Number.NaN);
    assert.deepEqual(
      seqs,
      [...seqs].sort((one, other) => one - other),
    );
    assert.equal(new Set(seqs).size, 4);
  });

  it('a delayed job is scheduled for now + delay', async (trial) => {
    const id = await trial.add({ delayMs: 1_500 });
    const { state, dueAt } = await trial.job(id);
    assert.deepEqual({ state, dueAt }, { state: 'scheduled', dueAt: T0 + 1_500 });
  });

  it('a delay need not be a whole number of milliseconds', async (trial) => {
    const id = await trial.add({ delayMs: 1_000 / 3 });
    assert.equal(await trial.state(id), 'scheduled');
    assert.deepEqual(await trial.claim({ now: T0 + 333 }), []);
    assert.equal((await trial.take({ now: T0 + 334 })).id, id);
  });

  it('an absolute time wins over a delay', async (trial) => {
    const id = await trial.add({ dueAt: T0 + 70_000, delayMs: 5 });
    const { state, dueAt } = await trial.job(id);
    assert.deepEqual({ state, dueAt }, { state: 'scheduled', dueAt: T0 + 70_000 });
  });

  it('a time in the past counts as now', async (trial) => {
    const id = await trial.add({ dueAt: T0 - 70_000 });
    const { state, dueAt } = await trial.job(id);
    assert.deepEqual({ state, dueAt }, { state: 'ready', dueAt: T0 });
  });

  it('the same id again adds nothing and tells the state of the job that has it', async (trial) => {
    const id = newId();
    await trial.add({ id, input: '"first"' });
    const again = await trial.enqueue({ id, input: '"second"', queue: 'other' });
    assert.deepEqual(again, { status: 'existing', id, state: 'ready' });
    const lease = await trial.take();
    assert.equal(lease.input, '"first"');
    assert.equal((await trial.enqueue({ id })).state, 'running');
    await trial.settle(lease, completed());
    assert.deepEqual(await trial.enqueue({ id }), { status: 'existing', id, state: 'completed' });
    assert.equal((await trial.store.list({ limit: 10 })).jobs.length, 1);
  });

  it('the same id twice in one batch is added once', async ({ store }) => {
    const id = newId();
    const receipts = await store.enqueue([spec({ id }), spec(), spec({ id })], { now: T0 });
    assert.deepEqual(
      receipts.map(({ status }) => status),
      ['created', 'created', 'existing'],
    );
    assert.equal((await store.list({ limit: 10 })).jobs.length, 2);
  });

  it('a large batch that was added in part, waiting or ended, is added whole by a repetition', async (trial) => {
    const specs = Array.from({ length: 200 }, (_, index) => spec({ input: `${index}` }));
    const [first, second] = specs as [JobSpec, JobSpec];
    await trial.store.enqueue([second, first], { now: T0 });
    await trial.settle(await trial.take(), completed());
    const receipts = await trial.store.enqueue(specs, { now: T0 });
    assert.deepEqual(receipts.slice(0, 3), [
      { status: 'existing', id: first.id, state: 'ready' },
      { status: 'existing', id: second.id, state: 'completed' },
      { status: 'created', id: specs[2]?.id, state: 'ready' },
    ]);
    assert.deepEqual(
      (await trial.claim({ limit: 1_000 })).map(({ input }) => input),
      ['0', ...specs.slice(2).map(({ input }) => input)],
    );
    const again = await trial.store.enqueue(specs, { now: T0 });
    assert.deepEqual(new Set(again.map(({ status }) => status)), new Set(['existing']));
  });

  it("without `now` the time is the store's clock", async (trial) => {
    const clock = new FakeClock(T0 + 123_456);
    const store = await trial.openFresh({ clock });
    const { id } = only(await store.enqueue([spec({ delayMs: 10 })]));
    assert.equal((await trial.job(id)).createdAt, T0 + 123_456);
    await clock.advance(9);
    assert.deepEqual(
      (await store.claim({ workerId: 'w1', queues: ['q'], limit: 1, leaseMs: 1_000 })).leases,
      [],
    );
    await clock.advance(1);
    const { leases } = await store.claim({ workerId: 'w1', queues: ['q'], limit: 1, leaseMs: 1_000 });
    assert.equal(only(leases).claimedAt, T0 + 123_466);
  });
}
