import assert from 'node:assert/strict';
import type { Outcome, OutcomeType } from '../../core/outcome.ts';
import { settle as rule } from '../../core/settle-rule.ts';
import type { It } from './area.ts';
import {
  attemptError,
  completed,
  failed,
  ids,
  LEASE_MS,
  only,
  retried,
  spec,
  T0,
  type Trial,
} from './trial.ts';

const OUTCOMES: Readonly<Record<OutcomeType, readonly Outcome[]>> = {
  completed: [completed('{"ok":true}'), completed(null)],
  retried: [retried(0), retried(2_500), retried(1_000 / 3)],
  failed: [failed()],
  cancelled: [
    { type: 'cancelled', error: null },
    { type: 'cancelled', error: attemptError('stopped') },
  ],
  snoozed: [
    { type: 'snoozed', delayMs: 0 },
    { type: 'snoozed', delayMs: 60_000 },
  ],
  released: [{ type: 'released' }],
};

export function settleArea(it: It): void {
  for (const outcome of Object.values(OUTCOMES).flat()) {
    const delay = 'delayMs' in outcome ? ` in ${Math.round(outcome.delayMs)} ms` : '';
    const error = 'error' in outcome && outcome.error !== null ? ' with an error' : '';
    it(`${outcome.type}${delay}${error} has the effects of the settle rule`, async (trial) => {
      for (const attemptsMax of [1, 3])
        for (const cancelRequested of [false, true])
          await settleByTheRule(trial, outcome, attemptsMax, cancelRequested);
    });
  }

  it('a retried job waits its delay and comes again with the next attempt', async (trial) => {
    const first = await trial.start();
    await trial.settle(first, retried(4_000));
    assert.deepEqual(await trial.claim({ now: T0 + 3_999 }), []);
    const second = await trial.take({ now: T0 + 4_000 });
    assert.deepEqual([second.id, second.attempt, second.dueAt], [first.id, 2, T0 + 4_000]);
  });

  for (const attemptsMax of [1, 3]) {
    it(`attempts ${attemptsMax} allows ${attemptsMax} errors, and keeps each`, async (trial) => {
      const id = await trial.add({ attemptsMax });
      for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
        const lease = await trial.take();
        assert.equal(lease.attempt, attempt);
        await trial.settle(lease, { type: 'retried', delayMs: 0, error: attemptError('no', attempt) });
      }
      assert.equal(await trial.state(id), 'failed');
      const expected = Array.from({ length: attemptsMax }, (_, index) => attemptError('no', index + 1));
      assert.deepEqual(await trial.errors(id), expected);
      assert.deepEqual(await trial.claim(), []);
    });
  }

  it('a lease that expired uses up no attempt of the budget', async (trial) => {
    const { id } = await trial.start({ attemptsMax: 1 });
    await trial.store.reap({ now: T0 + LEASE_MS });
    const lease = await trial.take({ now: T0 + LEASE_MS });
    assert.deepEqual([lease.attempt, lease.crashes], [2, 1]);
    assert.deepEqual(await trial.settle(lease, retried()), { status: 'settled', state: 'failed' });
    assert.equal((await trial.errors(id)).length, 2);
  });

  for (const [what, makeStale] of Object.entries(STALE)) {
    it(`an outcome is lost after ${what}, and nothing is written`, async (trial) => {
      const lease = await trial.start();
      await makeStale(trial, lease);
      const before = await trial.store.get([lease.id]);
      const trail = await trial.store.trail(lease.id);
      for (const outcome of Object.values(OUTCOMES).flat())
        assert.deepEqual(await trial.settle(lease, outcome, T0 + LEASE_MS), { status: 'lost' });
      const note = { id: lease.id, token: lease.token, progress: '1' };
      assert.deepEqual(await trial.store.annotate([note]), ['lost']);
      assert.deepEqual(await trial.store.get([lease.id]), before);
      assert.deepEqual(await trial.store.trail(lease.id), trail);
    });
  }

  it("an unknown id, another job's token and nonsense are lost", async (trial) => {
    const one = await trial.start();
    const other = await trial.start();
    for (const token of [other.token, '', 'nonsense', `${one.token} `, `0${one.token}`])
      assert.deepEqual(await trial.settle({ id: one.id, token }, completed()), { status: 'lost' });
    assert.deepEqual(await trial.settle({ id: 'nobody', token: one.token }, completed()), { status: 'lost' });
    assert.equal(await trial.state(one.id), 'running');
  });

  it('a batch settles what it can, in order, and reports the rest as lost', async (trial) => {
    await trial.store.enqueue([spec(), spec(), spec()], { now: T0 });
    const leases = await trial.claim();
    const [first, second, third] = leases.map(({ id, token }) => ({ id, token }));
    assert.ok(first && second && third);
    const receipts = await trial.store.settle(
      [
        { ...first, outcome: completed() },
        { ...second, token: 'stale', outcome: completed() },
        { ...third, outcome: failed() },
        { ...first, outcome: failed() },
      ],
      { now: T0 },
    );
    assert.deepEqual(receipts, [
      { status: 'settled', state: 'completed' },
      { status: 'lost' },
      { status: 'settled', state: 'failed' },
      { status: 'lost' },
    ]);
    const states = (await trial.store.get(ids(leases))).map((job) => job?.state);
    assert.deepEqual(states, ['completed', 'running', 'failed']);
    assert.deepEqual(await trial.store.settle([]), []);
  });

  it("the token of another job of the same claim is nobody's", async (trial) => {
    const jobs = Array.from({ length: 300 }, () => spec());
    await trial.store.enqueue(jobs, { now: T0 });
    const leases = await trial.claim({ limit: jobs.length });
    const swapped = leases.map(({ id }, index) => ({
      id,
      token: (leases[(index + 1) % leases.length] ?? assert.fail()).token,
    }));
    const outcomes = [completed('1'), failed(), retried(0)];
    const receipts = await trial.store.settle(
      swapped.map((lease, index) => ({ ...lease, outcome: outcomes[index % 4] ?? completed(null) })),
      { now: T0 },
    );
    assert.deepEqual(new Set(receipts.map(({ status }) => status)), new Set(['lost']));
    const noted = await trial.store.annotate(
      swapped.map((lease) => ({ ...lease, progress: '1' })),
      { now: T0 },
    );
    assert.deepEqual(new Set(noted), new Set(['lost']));
    const { jobs: running } = await trial.store.list({ states: ['running'], limit: 1_000 });
    assert.deepEqual([running.length, running.filter(({ progress }) => progress !== null)], [300, []]);
    const settled = leases.map((lease) => ({ id: lease.id, token: lease.token, outcome: completed(null) }));
    const last = await trial.store.settle(settled, { now: T0 });
    assert.deepEqual(new Set(last.map(({ status }) => status)), new Set(['settled']));
  });

  it('notes add progress and log lines to a running job', async (trial) => {
    const { id, token } = await trial.start();
    const line = (message: string) => ({ at: T0, attempt: 1, message, data: '{"a":1}' });
    const receipts = await trial.store.annotate([
      { id, token, progress: '10', logs: [line('one'), line('two')] },
      { id, token, logs: [line('three')] },
      { id, token: 'stale', progress: '99', logs: [line('stale')] },
    ]);
    assert.deepEqual(receipts, ['noted', 'noted', 'lost']);
    assert.equal((await trial.job(id)).progress, '10');
    assert.deepEqual((await trial.store.trail(id))?.logs, [line('one'), line('two'), line('three')]);
    await trial.store.annotate([{ id, token, progress: null }]);
    assert.equal((await trial.job(id)).progress, null);
    assert.equal(only(await trial.store.get([id]))?.state, 'running');
  });

  it('progress outlives its attempt, until another one is told', async (trial) => {
    const { id, token } = await trial.start();
    await trial.store.annotate([{ id, token, progress: '{"cursor":1}' }]);
    await trial.settle({ id, token }, retried());
    const second = await trial.take();
    assert.equal((await trial.job(id)).progress, '{"cursor":1}');
    await trial.store.reap({ now: T0 + 2 * LEASE_MS });
    const third = await trial.take({ now: T0 + 2 * LEASE_MS });
    assert.equal((await trial.job(id)).progress, '{"cursor":1}');
    assert.deepEqual(await trial.store.annotate([{ id, token: second.token, progress: '2' }]), ['lost']);
    await trial.store.annotate([{ id, token: third.token, progress: '3' }]);
    await trial.settle(third, { type: 'released' });
    assert.equal((await trial.job(id)).progress, '3');
  });
}

async function settleByTheRule(
  trial: Trial,
  outcome: Outcome,
  attemptsMax: number,
  cancelRequested: boolean,
): Promise<void> {
  const lease = await trial.start({ attemptsMax, queue: `${attemptsMax} ${cancelRequested}` });
  if (cancelRequested) await trial.control({ type: 'cancel', id: lease.id });
  const now = T0 + 700;
  const change = rule({ attempt: 1, attemptsMax, crashes: 0, cancelRequested }, outcome, now);
  assert.deepEqual(await trial.settle(lease, outcome, now), { status: 'settled', state: change.state });
  const job = await trial.job(lease.id);
  assert.equal(job.state, change.state);
  assert.deepEqual([job.attempt, job.crashes], [change.attempt, change.crashes]);
  assert.equal(job.finishedAt, change.finishedAt ?? null);
  assert.equal(job.result, change.result ?? null);
  // Stores may keep whole milliseconds; they round up, because a job must not run early.
  if (change.dueAt !== undefined)
    assert.ok(job.dueAt === change.dueAt || job.dueAt === Math.ceil(change.dueAt));
  assert.deepEqual([job.workerId, job.leaseExpiresAt], [null, null]);
  assert.deepEqual(await trial.errors(lease.id), change.error === undefined ? [] : [change.error]);
}

type Lease = Awaited<ReturnType<Trial['take']>>;

/** All the ways in which a token stops being the job's current one. */
const STALE: Readonly<Record<string, (trial: Trial, lease: Lease) => Promise<unknown>>> = {
  'the lease expired': ({ store }) => store.reap({ now: T0 + LEASE_MS }),
  'another worker claimed the job': async (trial) => {
    await trial.store.reap({ now: T0 + LEASE_MS });
    await trial.take({ workerId: 'w2', now: T0 + LEASE_MS });
  },
  'the job was settled': (trial, lease) => trial.settle(lease, completed('1')),
  'the job was given back': (trial, lease) => trial.settle(lease, { type: 'released' }),
  'the job was retried and claimed again by the same worker': async (trial, lease) => {
    await trial.settle(lease, retried());
    await trial.take();
  },
  'the worker retired': ({ store }) => store.retire('w1', { now: T0 }),
  'the queue was cleared': ({ store }) => store.clear('q', ['running']),
};
