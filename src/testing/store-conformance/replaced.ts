import assert from 'node:assert/strict';
import type { It } from './area.ts';
import { completed, failed, ids, only, retried, T0, type Trial } from './trial.ts';
import { key } from './unique.ts';

const UNSTARTED = { type: 'snoozed', delayMs: 5_000, unstarted: true } as const;

/** Claimed jobs whose unique keys others take over, and what becomes of them when they are given back. */
export function replacedArea(it: It): void {
  for (const mode of ['replace', 'debounce'] as const) {
    for (const outcome of [{ type: 'released' }, UNSTARTED] as const) {
      it(`a job that is ${outcome.type} unstarted after mode ${mode} took its key over ends as cancelled`, async (trial) => {
        const unique = key(mode, { periodMs: 1_000 });
        await trial.add({ unique }, T0 - 1_000);
        const lease = await trial.take();
        const newer = await trial.add({ unique });
        assert.deepEqual(await trial.settle(lease, outcome), { status: 'settled', state: 'cancelled' });
        await assertReplaced(trial, lease.id, newer);
        assert.equal((await trial.enqueue({ unique })).id, newer, 'the newer job keeps the key');
        assert.deepEqual(ids(await trial.claim({ now: T0 + 1_000 })), [newer]);
      });
    }
  }

  it('jobs that a worker still holds when it retires are cancelled if others took their keys over', async (trial) => {
    const unique = key('replace');
    const [replaced, kept] = [
      await trial.start({ unique }),
      await trial.start({ unique: key('replace', { key: 'own' }) }),
    ];
    const newer = await trial.add({ unique });
    await trial.store.retire('w1', { now: T0 });
    await assertReplaced(trial, replaced.id, newer);
    assert.equal(await trial.state(kept.id), 'ready');
  });

  it('a job whose key went to one that has ended since is not run after it', async (trial) => {
    const unique = key('replace');
    const lease = await trial.start({ unique });
    await trial.add({ unique });
    await trial.settle(await trial.take(), completed());
    await trial.settle(lease, { type: 'released' });
    assert.equal(await trial.state(lease.id), 'cancelled');
    assert.match((await trial.errors(lease.id))[0]?.message ?? '', /gone to a newer job/);
  });

  it('a job that ran is retried or snoozed although another has its key', async (trial) => {
    for (const outcome of [retried(5_000), { type: 'snoozed', delayMs: 5_000 }] as const) {
      const unique = key('replace', { key: outcome.type });
      const lease = await trial.start({ unique });
      await trial.add({ unique });
      await trial.settle(lease, outcome);
      assert.equal(await trial.state(lease.id), 'scheduled');
      await trial.take();
    }
  });

  it('a job that was redriven beside the holder of its key is given back as any other', async (trial) => {
    const unique = key('replace');
    const lease = await trial.start({ unique });
    await trial.settle(lease, failed());
    await trial.add({ unique });
    await trial.control({ type: 'redrive', id: lease.id });
    assert.equal((await trial.job(lease.id)).uniqueKey, null);
    await trial.settle(only((await trial.claim()).filter(({ id }) => id === lease.id)), { type: 'released' });
    assert.equal(await trial.state(lease.id), 'ready');
  });
}

async function assertReplaced(trial: Trial, id: string, newer: string): Promise<void> {
  const job = await trial.job(id);
  assert.deepEqual([job.state, job.attempt, job.finishedAt], ['cancelled', 0, T0]);
  const [error] = await trial.errors(id);
  assert.deepEqual([error?.code, error?.attempt, error?.at], ['JOB_REPLACED', 1, T0]);
  assert.ok(error?.message.includes(`job ${newer}`), error?.message);
}
