import assert from 'node:assert/strict';
import type { Job } from '../../core/job.ts';
import type { JobFilter, Store } from '../../store/store.ts';
import type { It } from './area.ts';
import { attemptError, BROUGHT_STATES, failed, ids, only, retried, spec, T0 } from './trial.ts';

export function inspectArea(it: It): void {
  it('get answers in the order asked, with null for what is not there', async (trial) => {
    const [first, second] = [await trial.add(), await trial.add()];
    const jobs = await trial.store.get([second, 'nobody', first, second]);
    assert.deepEqual(
      jobs.map((job) => job?.id ?? null),
      [second, null, first, second],
    );
    assert.deepEqual(await trial.store.get([]), []);
  });

  it('list gives the newest first, whatever happened to the jobs since', async (trial) => {
    const expected: string[] = [];
    for (const state of BROUGHT_STATES) {
      const id = await trial.add({ queue: state });
      await trial.bring(id, state, state);
      expected.unshift(id);
    }
    const { jobs, cursor } = await trial.store.list({ limit: 10 });
    assert.deepEqual([ids(jobs), cursor], [expected, null]);
    assert.deepEqual(jobs, await trial.store.get(expected));
  });

  it('list filters by states, queue and task, alone and together', async (trial) => {
    const all: Job[] = [];
    for (const queue of ['a', 'b'])
      for (const task of ['x', 'y'])
        for (const state of ['ready', 'scheduled', 'failed'] as const) {
          // So that the ready one is not claimed in place of the next.
          const id = await trial.add({ queue, task, priority: state === 'ready' ? 1 : 0 });
          await trial.bring(id, queue, state);
          all.unshift(await trial.job(id));
        }
    const filters: Omit<JobFilter, 'limit'>[] = [
      {},
      { queue: 'a' },
      { task: 'y' },
      { states: ['failed'] },
      { states: ['failed', 'ready'] },
      { states: [] },
      { states: ['running'] },
      { queue: 'b', task: 'x', states: ['scheduled', 'completed'] },
      { queue: 'nowhere' },
    ];
    for (const filter of filters) {
      const expected = all.filter(
        ({ state, queue, task }) =>
          (filter.states?.includes(state) ?? true) &&
          queue === (filter.queue ?? queue) &&
          task === (filter.task ?? task),
      );
      assert.deepEqual(
        ids((await trial.store.list({ ...filter, limit: 100 })).jobs),
        ids(expected),
        JSON.stringify(filter),
      );
      assert.deepEqual(
        ids(await pages(trial.store, { ...filter, limit: 1 })),
        ids(expected),
        JSON.stringify(filter),
      );
    }
  });

  it('pages hold every job once while others are added, and the last has no cursor', async (trial) => {
    const specs = Array.from({ length: 10 }, () => spec());
    await trial.store.enqueue(specs, { now: T0 });
    for (const limit of [1, 3, 5, 10, 11]) {
      const seen = await pages(trial.store, { limit }, () => trial.add({ queue: 'new' }));
      const old = ids(seen).filter((id) => specs.some((one) => one.id === id));
      assert.deepEqual(old, ids(specs).reverse());
    }
    assert.equal((await trial.store.list({ queue: 'q', limit: 10 })).cursor, null);
    assert.deepEqual(await trial.store.list({ queue: 'empty', limit: 10 }), { jobs: [], cursor: null });
  });

  it('pages go on where the job they ended with was removed', async (trial) => {
    const specs = Array.from({ length: 6 }, () => spec());
    await trial.store.enqueue(specs, { now: T0 });
    const expected = ids(specs).reverse();
    const first = await trial.store.list({ limit: 3 });
    await trial.control({ type: 'remove', id: expected[2] ?? '' });
    const second = await trial.store.list({ limit: 3, cursor: first.cursor ?? '' });
    assert.deepEqual([...ids(first.jobs), ...ids(second.jobs)], expected);
  });

  it('a cursor that no page gave is refused with OPTION_INVALID', async ({ store }) => {
    for (const cursor of ['', 'nonsense', '-1', "1' OR 1"])
      await assert.rejects(store.list({ limit: 1, cursor }), { code: 'OPTION_INVALID' });
  });

  it('a trail holds errors, log lines and audit entries, oldest first; null for no job', async (trial) => {
    assert.equal(await trial.store.trail('nobody'), null);
    const id = await trial.add();
    const nothing = { errors: [], errorsOmitted: 0, logs: [], logsOmitted: 0, audit: [] };
    assert.deepEqual(await trial.store.trail(id), nothing);
    const log = (message: string) => ({ at: T0, attempt: 1, message, data: null });
    const { token } = await trial.take();
    await trial.store.annotate([{ id, token, logs: [log('one')] }]);
    await trial.settle({ id, token }, retried(0, 'first'));
    const second = await trial.take();
    await trial.store.annotate([{ id, token: second.token, logs: [log('two'), log('three')] }]);
    await trial.settle(second, failed('second'));
    await trial.control({ type: 'redrive', id, by: 'ada', why: 'mended' }, T0 + 1);
    await trial.control({ type: 'cancel', id, by: 'bob', why: null }, T0 + 2);
    assert.deepEqual(await trial.store.trail(id), {
      errors: [attemptError('first'), attemptError('second')],
      errorsOmitted: 0,
      logs: [log('one'), log('two'), log('three')],
      logsOmitted: 0,
      audit: [
        { at: T0 + 1, action: 'redrive', by: 'ada', why: 'mended', from: 'failed', to: 'ready' },
        { at: T0 + 2, action: 'cancel', by: 'bob', why: null, from: 'ready', to: 'cancelled' },
      ],
    });
  });

  it('what goes in or comes out is a copy', async (trial) => {
    const { store } = trial;
    const lease = await trial.start();
    const error = { ...attemptError('kept') };
    const line = { at: T0, attempt: 1, message: 'kept', data: null };
    const logs = [line];
    await store.annotate([{ id: lease.id, token: lease.token, logs }]);
    await trial.settle(lease, { type: 'failed', error });
    for (const target of [
      error,
      line,
      await trial.job(lease.id),
      only((await store.list({ limit: 1 })).jobs),
    ])
      Object.assign(target, { message: 'changed', state: 'ready', input: 'changed' });
    const trail = await store.trail(lease.id);
    assert.ok(trail);
    Object.assign(only(trail.errors), { message: 'changed' });
    (trail.logs as unknown[]).push('changed');
    const fresh = await store.trail(lease.id);
    assert.deepEqual(
      [fresh?.errors[0]?.message, fresh?.logs.length, fresh?.logs[0]?.message],
      ['kept', 1, 'kept'],
    );
    assert.deepEqual(
      [await trial.state(lease.id), (await trial.job(lease.id)).input],
      ['failed', lease.input],
    );
  });
}

/** All jobs of all pages; `between` runs after each page. */
async function pages(store: Store, filter: JobFilter, between?: () => Promise<unknown>): Promise<Job[]> {
  const jobs: Job[] = [];
  let cursor: string | null = null;
  do {
    const page = await store.list(cursor === null ? filter : { ...filter, cursor });
    assert.ok(page.jobs.length <= filter.limit, `${page.jobs.length} jobs on a page of ${filter.limit}`);
    jobs.push(...page.jobs);
    cursor = page.cursor;
    await between?.();
  } while (cursor !== null);
  return jobs;
}
