import assert from 'node:assert/strict';
import type { Lease } from '../../store/store.ts';
import type { Completion, ConfirmReceipt, Transactions } from '../../store/transactions.ts';
import type { It } from './area.ts';
import { due, plant, reporting } from './plan-trial.ts';
import { completed, ids, LEASE_MS, only, spec, T0, type Trial } from './trial.ts';

/** Jobs that complete in a transaction of the caller's (store/transactions.ts). */
export function completionsArea(given: It): void {
  const it: It = (sentence, body) => given(sentence, body, 'transactions');

  it('a completion that commits ends the job as any other, with the notes that came along', async (trial) => {
    const lease = await trial.start();
    const log = { at: T0, attempt: 1, message: 'told inside', data: null };
    const note = { id: lease.id, token: lease.token, progress: '0.5', logs: [log] };
    await complete(trial, { ...completionOf(lease, '{"n":2}'), note }, T0 + 5);
    assert.equal(await status(trial, lease), 'settled');
    const job = await trial.job(lease.id);
    assert.deepEqual(
      [job.state, job.result, job.progress, job.attempt, job.finishedAt],
      ['completed', '{"n":2}', '0.5', 1, T0 + 5],
    );
    assert.deepEqual((await trial.store.trail(lease.id))?.logs, [log]);
    assert.deepEqual(await trial.settle(lease, completed()), { status: 'lost' });
    assert.equal(await status(trial, lease), 'settled', 'asked again');
  });

  it('before the commit nobody sees it, and after a rollback the job runs as before', async (trial) => {
    const lease = await trial.start();
    const user = await trial.begin();
    await completeIn(trial, user.tx, completionOf(lease));
    assert.equal(await trial.state(lease.id), 'running');
    await user.rollback();
    assert.equal(await status(trial, lease), 'undone');
    assert.equal(await trial.state(lease.id), 'running');
    assert.deepEqual(await trial.settle(lease, completed('1')), { status: 'settled', state: 'completed' });
    assert.equal((await trial.job(lease.id)).result, '1');
  });

  it('one that is undone may be done again', async (trial) => {
    const lease = await trial.start();
    const user = await trial.begin();
    await completeIn(trial, user.tx, completionOf(lease));
    await user.rollback();
    assert.equal(await status(trial, lease), 'undone');
    await complete(trial, completionOf(lease, '2'));
    assert.equal(await status(trial, lease), 'settled');
    assert.equal((await trial.job(lease.id)).result, '2');
  });

  it('a token that is not the current one is lost, writes nothing and leaves the transaction usable', async (trial) => {
    const [stale, kept] = [await trial.start(), await trial.start({ queue: 'kept' })];
    await trial.settle(stale, { type: 'released' });
    const current = await trial.take();
    const nonsense = { id: stale.id, token: 'nonsense' };
    const user = await trial.begin();
    for (const lost of [stale, nonsense, { id: kept.id, token: current.token }])
      assert.deepEqual(await completeIn(trial, user.tx, completionOf(lost)), { status: 'lost' });
    await completeIn(trial, user.tx, completionOf(kept));
    await user.commit();
    assert.equal(await status(trial, kept), 'settled');
    assert.equal(await status(trial, stale), 'lost');
    assert.equal(await status(trial, current), 'undone');
    assert.equal(await trial.state(stale.id), 'running');
  });

  it('a job that was cleared, or was taken back from its worker, is lost', async (trial) => {
    const cleared = await trial.start({ queue: 'cleared' });
    const expired = await trial.start();
    await trial.store.clear('cleared', ['running']);
    await trial.store.reap({ now: T0 + LEASE_MS });
    for (const lease of [cleared, expired])
      assert.deepEqual(await complete(trial, completionOf(lease)), { status: 'lost' });
    assert.equal(await trial.state(expired.id), 'ready');
  });

  it('a job whose cancellation was asked for completes, as by settle', async (trial) => {
    const lease = await trial.start();
    await trial.control({ type: 'cancel', id: lease.id });
    assert.deepEqual(await complete(trial, completionOf(lease)), { status: 'settled', state: 'completed' });
    assert.equal(await status(trial, lease), 'settled');
  });

  it('others of the same claim go on, before and after', async (trial) => {
    await trial.store.enqueue([spec(), spec(), spec()], { now: T0 });
    const [first, second, third] = (await trial.claim()) as [Lease, Lease, Lease];
    await complete(trial, completionOf(second));
    await trial.settle(first, completed());
    assert.equal(await status(trial, second), 'settled');
    const reaped = await trial.store.reap({ now: T0 + LEASE_MS });
    assert.deepEqual(ids(reaped.reaped), [third.id]);
    assert.equal(only(await trial.store.queues()).counts.completed, 2);
  });

  it('the place in a limited queue is free once it is confirmed', async (trial) => {
    await trial.store.configureQueue('q', { limits: { concurrency: 1 } });
    const lease = await trial.start();
    const next = await trial.add();
    const user = await trial.begin();
    await completeIn(trial, user.tx, completionOf(lease));
    await user.commit();
    assert.equal(await status(trial, lease), 'settled');
    assert.deepEqual(ids(await trial.claim()), [next]);
  });

  it('the next of the key is let in, and no newcomer passes it', async (trial) => {
    await trial.store.configureQueue('q', { limits: { perKey: { ordered: true } } });
    const lease = await trial.start({ key: 'k' });
    const held = await trial.add({ key: 'k' });
    await complete(trial, completionOf(lease));
    const newcomer = await trial.add({ key: 'k' });
    assert.equal(await status(trial, lease), 'settled');
    const [next] = await trial.claim();
    assert.deepEqual(next?.id, held);
    await trial.settle(next as Lease, completed());
    assert.deepEqual(ids(await trial.claim()), [newcomer]);
  });

  it('what nobody confirms is let go of by reap', async (trial) => {
    await trial.store.configureQueue('q', { limits: { concurrency: 1, perKey: { ordered: true } } });
    const lease = await trial.start({ key: 'k' });
    const held = await trial.add({ key: 'k' });
    await complete(trial, completionOf(lease));
    assert.deepEqual((await trial.store.reap({ now: T0 + 1 })).reaped, []);
    assert.deepEqual(ids(await trial.claim()), [held]);
    assert.equal(await status(trial, lease), 'settled', 'asked afterwards');
  });

  it('the unique key is free, and a queue that keeps nothing keeps nothing', async (trial) => {
    await trial.store.configureQueue('q', { retention: { completed: { ageMs: 0, count: 0 } } });
    const unique = { key: 'u', mode: 'reject', periodMs: 0 } as const;
    const lease = await trial.start({ unique });
    await complete(trial, completionOf(lease));
    assert.equal(await status(trial, lease), 'settled');
    assert.equal(await trial.state(lease.id), null);
    assert.equal((await trial.enqueue({ unique })).status, 'created');
  });

  given(
    'it reports to its plan exactly if it commits',
    async (trial) => {
      if (!trial.store.capabilities.plans) return;
      await plant(trial);
      const lease = await trial.start(reporting('s:a:0'));
      const user = await trial.begin();
      await completeIn(trial, user.tx, completionOf(lease, '1'));
      await user.rollback();
      assert.equal(await status(trial, lease), 'undone');
      assert.deepEqual((await due(trial, 'p')).reports, []);
      await complete(trial, completionOf(lease, '2'), T0 + 5);
      const { no: _, ...report } = only((await due(trial, 'p')).reports);
      const { id: job } = lease;
      assert.deepEqual(report, {
        plan: 'p',
        as: 's:a:0',
        job,
        state: 'completed',
        result: '2',
        error: null,
        attempt: 1,
        startedAt: T0,
        at: T0 + 5,
      });
    },
    'transactions',
  );

  it('what is no transaction is refused with OPTION_INVALID, and nothing is written', async (trial) => {
    const lease = await trial.start();
    for (const tx of [undefined, null, 1, 'tx', {}, [], () => undefined])
      await assert.rejects(transactionsOf(trial).complete(tx, completionOf(lease)), {
        code: 'OPTION_INVALID',
      });
    for (const db of [null, 1, 'db', {}, []])
      await assert.rejects(
        transactionsOf(trial).run(db, async () => {}),
        { code: 'OPTION_INVALID' },
      );
    assert.equal(await trial.state(lease.id), 'running');
  });

  given('a store without transactions has none', async ({ store }) => {
    assert.equal(store.transactions !== null, store.capabilities.transactions);
  });
}

function transactionsOf({ store }: Trial): Transactions {
  assert.ok(store.transactions);
  return store.transactions;
}

function completionOf({ id, token }: Pick<Lease, 'id' | 'token'>, result: string | null = null): Completion {
  return { id, token, outcome: { type: 'completed', result } };
}

function completeIn(trial: Trial, tx: object, completion: Completion, now = T0) {
  return transactionsOf(trial).complete(tx, completion, { now });
}

/** In a transaction of its own, which commits. */
async function complete(trial: Trial, completion: Completion, now = T0) {
  const user = await trial.begin();
  const receipt = await completeIn(trial, user.tx, completion, now);
  await user.commit();
  return receipt;
}

async function status(trial: Trial, lease: Pick<Lease, 'id' | 'token'>): Promise<ConfirmReceipt['status']> {
  return only(await transactionsOf(trial).confirm([completionOf(lease)], { now: T0 })).status;
}
