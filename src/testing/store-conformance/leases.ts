import assert from 'node:assert/strict';
import { expire } from '../../core/settle-rule.ts';
import type { BeatReceipt } from '../../store/store.ts';
import type { It } from './area.ts';
import { beatOf, completed, ids, LEASE_MS, only, spec, T0 } from './trial.ts';

export function leasesArea(it: It): void {
  it('a lease is taken back from the millisecond it ends', async (trial) => {
    const { id } = await trial.start({ queue: 'mail', task: 'send' });
    const subject = { attempt: 1, attemptsMax: 3, crashes: 0, cancelRequested: false };
    const { error } = expire(subject, T0 + LEASE_MS);
    const expired = { id, queue: 'mail', task: 'send', state: 'ready', attempt: 1, crashes: 1, error };
    assert.deepEqual(await trial.store.reap({ now: T0 + LEASE_MS - 1 }), { reaped: [] });
    const { reaped } = await trial.store.reap({ now: T0 + LEASE_MS });
    assert.deepEqual(reaped, [expired]);
    assert.deepEqual(await trial.store.reap({ now: T0 + LEASE_MS }), { reaped: [] });
  });

  it('a reaped job is ready at once, uses up an attempt number and keeps the reason', async (trial) => {
    const { id } = await trial.start();
    const now = T0 + LEASE_MS + 5;
    await trial.store.reap({ now });
    const subject = { attempt: 1, attemptsMax: 3, crashes: 0, cancelRequested: false };
    assert.deepEqual(await trial.errors(id), [expire(subject, now).error]);
    const { state, dueAt, crashes, workerId } = await trial.job(id);
    assert.deepEqual([state, dueAt, crashes, workerId], ['ready', now, 1, null]);
    const lease = await trial.take({ workerId: 'w2', now });
    assert.deepEqual([lease.id, lease.attempt, lease.crashes], [id, 2, 1]);
  });

  for (const crashesMax of [undefined, 1, 2]) {
    const limit = crashesMax ?? 3;
    it(`a job that lost ${limit} leases is a dead letter (${crashesMax === undefined ? 'the default' : 'as asked'})`, async (trial) => {
      const id = await trial.add({ attemptsMax: 100 });
      for (let crash = 1; crash <= limit; crash += 1) {
        const now = T0 + crash * LEASE_MS;
        await trial.take({ now: now - LEASE_MS });
        const { reaped } = await trial.store.reap(crashesMax === undefined ? { now } : { now, crashesMax });
        assert.equal(only(reaped).state, crash === limit ? 'failed' : 'ready');
      }
      assert.equal((await trial.errors(id)).at(-1)?.code, 'JOB_POISONED');
      assert.equal((await trial.job(id)).finishedAt, T0 + limit * LEASE_MS);
    });
  }

  it('a reaped job whose cancellation was asked for is cancelled', async (trial) => {
    const { id } = await trial.start();
    await trial.control({ type: 'cancel', id });
    assert.equal(only((await trial.store.reap({ now: T0 + LEASE_MS })).reaped).state, 'cancelled');
    assert.equal(await trial.state(id), 'cancelled');
  });

  it('a beat renews every lease of its worker, and of no other', async (trial) => {
    await trial.store.enqueue([spec(), spec(), spec()], { now: T0 });
    const mine = ids(await trial.claim({ limit: 2 }));
    const { id: other } = await trial.take({ workerId: 'w2' });
    const beatAt = T0 + LEASE_MS - 1;
    const receipt = await trial.store.beat(beatOf('w1', beatAt, { leaseMs: 50_000 }));
    assert.deepEqual(
      { ...receipt, held: [...receipt.held].sort() },
      { now: beatAt, cancelled: [], held: mine.sort(), paused: [] },
    );
    assert.deepEqual(ids((await trial.store.reap({ now: beatAt + 1 })).reaped), [other]);
    assert.equal((await trial.job(mine[0] ?? '')).leaseExpiresAt, beatAt + 50_000);
    assert.deepEqual(ids((await trial.store.reap({ now: beatAt + 50_000 })).reaped).sort(), mine.sort());
  });

  it('a beat renews a lease that ended but was not taken back yet', async (trial) => {
    const { id } = await trial.start();
    await trial.store.beat(beatOf('w1', T0 + LEASE_MS + 10));
    assert.deepEqual((await trial.store.reap({ now: T0 + LEASE_MS + 10 })).reaped, []);
    assert.equal(await trial.state(id), 'running');
  });

  it('a beat tells which jobs the worker still holds and which are to be cancelled', async (trial) => {
    await trial.store.enqueue([spec(), spec(), spec()], { now: T0 });
    const [first, second, third] = await trial.claim();
    assert.ok(first && second && third);
    await trial.settle(first, { type: 'released' });
    await trial.control({ type: 'cancel', id: third.id });
    const receipt = await trial.store.beat(beatOf('w1', T0 + 10));
    assert.deepEqual([...receipt.held].sort(), [second.id, third.id].sort());
    assert.deepEqual(receipt.cancelled, [third.id]);
    assert.deepEqual((await trial.store.beat(beatOf('w2', T0 + 10))).held, []);
  });

  it('a beat tells which of the worker’s queues are paused, all of them while `*` is', async ({ store }) => {
    const { worker } = beatOf('w1', T0);
    const queues = ['b', 'never configured', 'a', 'q'];
    const paused = async () => (await store.beat(beatOf('w1', T0, { worker: { ...worker, queues } }))).paused;
    const pause = (queue: string, isPaused: boolean) =>
      store.configureQueue(queue, { paused: isPaused }, { now: T0 });
    assert.deepEqual(await paused(), []);
    for (const queue of ['a', 'b', 'of another worker']) await pause(queue, true);
    assert.deepEqual(await paused(), ['b', 'a']);
    await pause('b', false);
    assert.deepEqual(await paused(), ['a']);
    await pause('*', true);
    assert.deepEqual(await paused(), queues);
    await pause('*', false);
    assert.deepEqual(await paused(), ['a']);
  });

  it('a job that was lost and claimed by another is not in the beat of the first', async (trial) => {
    const { id } = await trial.start();
    await trial.store.reap({ now: T0 + LEASE_MS });
    await trial.take({ workerId: 'w2', now: T0 + LEASE_MS });
    assert.deepEqual((await trial.store.beat(beatOf('w1', T0 + LEASE_MS))).held, []);
    assert.deepEqual((await trial.store.beat(beatOf('w2', T0 + LEASE_MS))).held, [id]);
  });

  it('a retired worker gives back what it holds, uncharged', async (trial) => {
    await trial.store.enqueue([spec(), spec(), spec()], { now: T0 });
    const [first, second] = await trial.claim({ limit: 2 });
    const { id: other } = await trial.take({ workerId: 'w2' });
    assert.ok(first && second);
    await trial.control({ type: 'cancel', id: second.id });
    const given = await trial.store.retire('w1', { now: T0 + 40 });
    const facts = { queue: first.queue, task: first.task, attempt: 0 };
    assert.deepEqual(
      byId(given),
      byId([
        { id: first.id, ...facts, state: 'ready' },
        { id: second.id, ...facts, state: 'cancelled' },
      ]),
    );
    const job = await trial.job(first.id);
    assert.deepEqual([job.state, job.attempt, job.crashes, job.dueAt], ['ready', 0, 0, T0 + 40]);
    assert.deepEqual([await trial.state(second.id), await trial.state(other)], ['cancelled', 'running']);
    assert.equal((await trial.take({ now: T0 + 40 })).attempt, 1);
  });

  it('what a worker disowns goes back uncharged, as far as it held it before that time', async (trial) => {
    await trial.store.enqueue([spec(), spec(), spec(), spec()], { now: T0 });
    const [first, second, kept] = await trial.claim({ limit: 3 });
    const { id: other } = await trial.take({ workerId: 'w2' });
    assert.ok(first && second && kept);
    const late = await trial.start({}, { now: T0 + 10 });
    await trial.control({ type: 'cancel', id: second.id });
    const jobs = [first.id, second.id, late.id, other, 'unknown'];
    const request = { workerId: 'w1', jobs, before: T0 + 10, now: T0 + 40 };
    const facts = { queue: first.queue, task: first.task, attempt: 0 };
    assert.deepEqual(
      byId(await trial.store.disown(request)),
      byId([
        { id: first.id, ...facts, state: 'ready' },
        { id: second.id, ...facts, state: 'cancelled' },
      ]),
    );
    assert.deepEqual(await trial.store.disown(request), []);
    const { state, attempt, crashes, dueAt } = await trial.job(first.id);
    assert.deepEqual([state, attempt, crashes, dueAt], ['ready', 0, 0, T0 + 40]);
    assert.equal(await trial.state(second.id), 'cancelled');
    for (const id of [kept.id, late.id, other]) assert.equal(await trial.state(id), 'running');
    assert.deepEqual(await trial.settle(first, completed()), { status: 'lost' });
    assert.deepEqual(await trial.settle(kept, completed()), { status: 'settled', state: 'completed' });
  });

  it('keepAlive beats by itself, with the load it was told last, until it is closed', async (trial) => {
    const { store } = trial;
    const { worker } = beatOf('w1', T0);
    let onBeat = (_receipt: BeatReceipt): void => {};
    const keepAlive = store.keepAlive({
      worker,
      leaseMs: 60_000,
      intervalMs: 5,
      onBeat: (receipt) => onBeat(receipt),
      onError: (error) => assert.fail(String(error)),
    });
    keepAlive.update({ slots: 9, slotsUsed: 8, profiles: [] });
    const { id } = await trial.start({}, { now: Date.now() });
    for (let beats = 0; beats < 3; beats += 1) {
      const receipt = await new Promise<BeatReceipt>((resolve) => {
        onBeat = resolve;
      });
      assert.ok(Math.abs(receipt.now - Date.now()) < 60_000);
      if (beats > 0) assert.deepEqual(receipt.held, [id]);
    }
    const record = only(await store.workers());
    assert.deepEqual([record.slots, record.slotsUsed, record.alive, record.running], [9, 8, true, 1]);
    await keepAlive.close();
    onBeat = () => assert.fail('a beat after close');
    await store.retire('w1');
    assert.deepEqual(await store.workers(), []);
  });

  it('keepAlive beats when asked, and has told of it when the promise resolves', async (trial) => {
    const receipts: BeatReceipt[] = [];
    const { worker } = beatOf('w1', T0);
    const keepAlive = trial.store.keepAlive({
      worker,
      leaseMs: 60_000,
      intervalMs: 3_600_000,
      onBeat: (receipt) => receipts.push(receipt),
      onError: (error) => assert.fail(String(error)),
    });
    const { id } = await trial.start({}, { now: Date.now() });
    await keepAlive.beat();
    assert.deepEqual(receipts.at(-1)?.held, [id]);
    await trial.control({ type: 'cancel', id });
    await keepAlive.beat();
    assert.deepEqual(receipts.at(-1)?.cancelled, [id]);
    await keepAlive.close();
  });
}

function byId<Item extends { readonly id: string }>(items: readonly Item[]): Item[] {
  return items.toSorted((one, other) => (one.id < other.id ? -1 : 1));
}
