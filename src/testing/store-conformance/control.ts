import assert from 'node:assert/strict';
import { type JobState, TRANSITIONS, WAITING_STATES } from '../../core/job-state.ts';
import type { It } from './area.ts';
import {
  attemptError,
  BROUGHT_STATES,
  beatOf,
  completed,
  ids,
  LEASE_MS,
  type Ordered,
  ordered,
  retried,
  spec,
  T0,
} from './trial.ts';

type CommandType = Ordered['type'];

const COMMANDS: Readonly<Record<CommandType, (id: string) => Ordered>> = {
  cancel: (id) => ({ type: 'cancel', id }),
  redrive: (id) => ({ type: 'redrive', id }),
  resolve: (id) => ({ type: 'resolve', id, result: '"by hand"' }),
  reschedule: (id) => ({ type: 'reschedule', id, dueAt: T0 + 5_000 }),
  reprioritize: (id) => ({ type: 'reprioritize', id, priority: -5 }),
  edit: (id) => ({ type: 'edit', id, input: '"edited"' }),
  remove: (id) => ({ type: 'remove', id }),
};

export function controlArea(it: It): void {
  for (const state of BROUGHT_STATES) {
    for (const [type, command] of Object.entries(COMMANDS) as [CommandType, (id: string) => Ordered][]) {
      const allowed = isAllowed(type, state);
      it(`${type} of a ${state} job is ${allowed ? 'done' : 'refused'}`, async (trial) => {
        const id = await trial.add();
        await trial.bring(id, 'q', state);
        const before = await trial.store.get([id]);
        const audited = await trial.audit(id);
        const receipt = await trial.control({ ...command(id), by: 'ada', why: 'because' }, T0 + 9);
        if (!allowed) {
          assert.deepEqual(receipt, { status: 'refused', state });
          assert.deepEqual(await trial.store.get([id]), before);
          assert.deepEqual(await trial.audit(id), audited);
          return;
        }
        const to = stateAfter(type, state);
        assert.deepEqual(receipt, {
          status: type === 'cancel' && state === 'running' ? 'requested' : 'done',
          state: to,
        });
        assert.equal(await trial.state(id), to);
        if (to === null) return assert.equal(await trial.store.trail(id), null);
        const entry = { at: T0 + 9, action: type, by: 'ada', why: 'because', from: state, to };
        assert.deepEqual(await trial.audit(id), [...audited, entry]);
      });
    }
  }

  it('a command for an unknown job is answered with unknown', async ({ store }) => {
    const receipts = await store.control(
      Object.values(COMMANDS).map((command) => ordered(command('nobody'))),
    );
    for (const receipt of receipts) assert.deepEqual(receipt, { status: 'unknown', state: null });
    assert.deepEqual(await store.control([]), []);
  });

  it('commands of one batch apply in order, each for itself', async (trial) => {
    const id = await trial.add();
    const batch = [
      COMMANDS.redrive(id),
      COMMANDS.cancel(id),
      COMMANDS.cancel('nobody'),
      COMMANDS.redrive(id),
    ];
    const receipts = await trial.store.control(batch.map(ordered), { now: T0 });
    assert.deepEqual(
      receipts.map(({ status }) => status),
      ['refused', 'done', 'unknown', 'done'],
    );
    assert.deepEqual(
      (await trial.audit(id)).map(({ action }) => action),
      ['cancel', 'redrive'],
    );
  });

  it('a cancelled job has an end and is never claimed', async (trial) => {
    const waiting = [await trial.add(), await trial.add({ delayMs: 10 })];
    for (const id of waiting) await trial.control({ type: 'cancel', id }, T0 + 5);
    assert.deepEqual(await trial.claim({ now: T0 + 20 }), []);
    for (const id of waiting) assert.equal((await trial.job(id)).finishedAt, T0 + 5);
  });

  it('cancel of a running job is told to its worker, and stops it from being retried', async (trial) => {
    const lease = await trial.start();
    for (let again = 0; again < 2; again += 1)
      assert.deepEqual(await trial.control({ type: 'cancel', id: lease.id }), {
        status: 'requested',
        state: 'running',
      });
    assert.equal((await trial.job(lease.id)).cancelRequested, true);
    assert.deepEqual((await trial.store.beat(beatOf('w1', T0))).cancelled, [lease.id]);
    assert.deepEqual(await trial.settle(lease, retried()), { status: 'settled', state: 'cancelled' });
    assert.deepEqual(await trial.claim({ now: T0 + 60_000 }), []);
  });

  it('a running job that completes before it sees the cancel is completed', async (trial) => {
    const lease = await trial.start();
    await trial.control({ type: 'cancel', id: lease.id });
    assert.deepEqual(await trial.settle(lease, completed('1')), { status: 'settled', state: 'completed' });
  });

  it('redrive starts with fresh budgets and keeps the errors', async (trial) => {
    const id = await trial.add({ attemptsMax: 2 });
    await trial.take();
    await trial.store.reap({ now: T0 + LEASE_MS });
    const now = T0 + LEASE_MS;
    for (const attempt of [2, 3])
      await trial.settle(
        await trial.take({ now }),
        { type: 'retried', delayMs: 0, error: attemptError('no', attempt) },
        now,
      );
    assert.equal(await trial.state(id), 'failed');
    assert.equal((await trial.control({ type: 'redrive', id }, now + 7)).status, 'done');
    const { state, attempt, crashes, dueAt, finishedAt, cancelRequested } = await trial.job(id);
    assert.deepEqual([state, attempt, crashes, dueAt], ['ready', 0, 0, now + 7]);
    assert.deepEqual([finishedAt, cancelRequested], [null, false]);
    assert.equal((await trial.errors(id)).length, 3);
    for (const expected of ['ready', 'failed'])
      assert.deepEqual(await trial.settle(await trial.take({ now: now + 7 }), retried(), now + 7), {
        status: 'settled',
        state: expected,
      });
    assert.equal((await trial.errors(id)).length, 5);
  });

  it('a cancelled job that is redriven runs, and is no longer to be cancelled', async (trial) => {
    const lease = await trial.start();
    await trial.control({ type: 'cancel', id: lease.id });
    await trial.settle(lease, { type: 'cancelled', error: null });
    await trial.control({ type: 'redrive', id: lease.id });
    const again = await trial.take();
    assert.deepEqual((await trial.store.beat(beatOf('w1', T0))).cancelled, []);
    assert.deepEqual(await trial.settle(again, retried()), { status: 'settled', state: 'ready' });
  });

  it('a resolved job counts as completed with the result given, from now', async (trial) => {
    const id = await trial.add();
    await trial.bring(id, 'q', 'failed');
    await trial.control({ type: 'resolve', id, result: '{"a":1}' }, T0 + 50);
    const { state, result, finishedAt } = await trial.job(id);
    assert.deepEqual([state, result, finishedAt], ['completed', '{"a":1}', T0 + 50]);
    assert.equal((await trial.errors(id)).length, 1);
    assert.equal((await trial.store.list({ states: ['failed'], limit: 5 })).jobs.length, 0);
  });

  it('reschedule moves a job to another time, and a past one to now', async (trial) => {
    const id = await trial.add();
    await trial.control({ type: 'reschedule', id, dueAt: T0 + 5_000 });
    assert.deepEqual(await trial.claim({ now: T0 + 4_999 }), []);
    await trial.control({ type: 'reschedule', id, dueAt: T0 + 9_000 });
    assert.deepEqual(await trial.claim({ now: T0 + 8_999 }), []);
    const receipt = await trial.control({ type: 'reschedule', id, dueAt: T0 - 1 }, T0 + 100);
    assert.deepEqual(receipt, { status: 'done', state: 'ready' });
    assert.equal((await trial.take({ now: T0 + 100 })).dueAt, T0 + 100);
  });

  it('reprioritize changes the place in the line, of ready and of scheduled jobs', async (trial) => {
    const specs = [spec(), spec(), spec({ delayMs: 10 }), spec()];
    await trial.store.enqueue(specs, { now: T0 });
    const [first, second, delayed, last] = ids(specs) as [string, string, string, string];
    await trial.control({ type: 'reprioritize', id: first, priority: 2 });
    await trial.control({ type: 'reprioritize', id: last, priority: -1 });
    await trial.control({ type: 'reprioritize', id: last, priority: -2 });
    await trial.control({ type: 'reprioritize', id: delayed, priority: -1 });
    assert.deepEqual(ids(await trial.claim({ now: T0 + 10 })), [last, delayed, second, first]);
  });

  it('edit gives a waiting job another input, and changes nothing else, its place in the line least', async (trial) => {
    const specs = [spec(), spec({ input: '"old"', key: 'k' }), spec({ delayMs: 10, input: 'null' }), spec()];
    await trial.store.enqueue(specs, { now: T0 });
    const [, keyed, delayed] = ids(specs) as [string, string, string, string];
    const before = await trial.store.get(ids(specs));
    const large = JSON.stringify('x'.repeat(5_000));
    for (const input of [large, null, '"a"', large]) await trial.control({ type: 'edit', id: keyed, input });
    await trial.control({ type: 'edit', id: delayed, input: null });
    const inputs: Readonly<Record<string, string | null>> = { [keyed]: large, [delayed]: null };
    const expected = before.map((job) =>
      job !== null && job.id in inputs ? { ...job, input: inputs[job.id] } : job,
    );
    assert.deepEqual(await trial.store.get(ids(specs)), expected);
    const leases = await trial.claim({ now: T0 + 10 });
    assert.deepEqual(new Set(ids(leases)), new Set(ids(specs)));
    assert.deepEqual(ids(leases).slice(0, 2), ids(specs).slice(0, 2));
    for (const { id, input } of leases) assert.equal(input, expected.find((job) => job?.id === id)?.input);
  });

  it('a removed job leaves the line and the lists', async (trial) => {
    const [first, second] = [await trial.add(), await trial.add()];
    await trial.control({ type: 'remove', id: first });
    assert.deepEqual(ids(await trial.claim()), [second]);
    assert.deepEqual(ids((await trial.store.list({ limit: 5 })).jobs), [second]);
  });
}

function isAllowed(type: CommandType, state: JobState): boolean {
  if (type === 'remove') return state !== 'running';
  if (type === 'reprioritize' || type === 'edit')
    return (WAITING_STATES as readonly JobState[]).includes(state);
  return TRANSITIONS[state][type] !== undefined;
}

/** The state an allowed command of COMMANDS leads to; null when the job is gone. */
function stateAfter(type: CommandType, state: JobState): JobState | null {
  switch (type) {
    case 'cancel':
      return state === 'running' ? 'running' : 'cancelled';
    case 'redrive':
      return 'ready';
    case 'resolve':
      return 'completed';
    case 'reschedule':
      return 'scheduled';
    case 'reprioritize':
    case 'edit':
      return state;
    case 'remove':
      return null;
  }
}
