import assert from 'node:assert/strict';
import type { NewReport, PlanChange, Unit } from '../../store/plans.ts';
import type { It } from './area.ts';
import { due, plant, reporting } from './plan-trial.ts';
import { completed, only, spec, T0, type Trial } from './trial.ts';

/** Plans and units: what is committed together, and on which condition (store/plans.ts). */
export function plansArea(given: It): void {
  const it: It = (sentence, body) => given(sentence, body, 'plans');
  it('a plan comes back as it was committed, with the kept texts that were asked for', async (trial) => {
    const keep = [
      { name: 'input', text: '{"a":1}' },
      { name: 'result:ü', text: 'x'.repeat(100_000) },
    ];
    await plant(trial, { wakeAt: T0 + 50, expiresAt: T0 + 99, value: '{"text":"𝄞;,\\u001f"}', keep });
    const record = {
      key: 'p',
      kind: 'run',
      label: 'flow',
      state: 'running',
      version: 1,
      value: '{"text":"𝄞;,\\u001f"}',
      wakeAt: T0 + 50,
      expiresAt: T0 + 99,
      createdAt: T0,
      updatedAt: T0,
    };
    assert.deepEqual(await trial.store.plan('p'), { ...record, kept: {} });
    assert.deepEqual(await trial.store.plan('p', ['input', 'absent']), {
      ...record,
      kept: { input: '{"a":1}' },
    });
    const all = Object.fromEntries(keep.map(({ name, text }) => [name, text]));
    assert.deepEqual(await trial.store.plan('p', 'all'), { ...record, kept: all });
    for (const key of ['nobody', 'no\0body', '']) {
      assert.equal(await trial.store.plan(key, 'all'), null);
      assert.deepEqual((await trial.store.duePlans({ keys: [key], limit: 1 })).plans, []);
    }
  });

  it('a change counts at its version only, and then the version is one more', async (trial) => {
    const first = await plant(trial);
    const change = { ...first, version: 1, value: '{"n":1}', state: 'waiting' };
    assert.equal(await status(trial, { plans: [change] }, T0 + 7), 'committed');
    for (const version of [0, 1, 3])
      assert.equal(await status(trial, { plans: [{ ...change, version, value: '{"n":9}' }] }), 'conflict');
    assert.equal(await status(trial, { plans: [{ ...change, key: 'nobody', version: 1 }] }), 'conflict');
    const plan = await trial.store.plan('p');
    assert.deepEqual([plan?.version, plan?.value, plan?.state], [2, '{"n":1}', 'waiting']);
    assert.deepEqual([plan?.createdAt, plan?.updatedAt], [T0, T0 + 7]);
    assert.equal(await trial.store.plan('nobody'), null);
  });

  it('kept texts are replaced and removed one by one', async (trial) => {
    const first = await plant(trial, {
      keep: [
        { name: 'a', text: '1' },
        { name: 'b', text: '2' },
      ],
    });
    const keep = [
      { name: 'a', text: null },
      { name: 'b', text: '3' },
      { name: 'c', text: '4' },
    ];
    assert.equal(await status(trial, { plans: [{ ...first, version: 1, keep }] }), 'committed');
    assert.deepEqual((await trial.store.plan('p', 'all'))?.kept, { b: '3', c: '4' });
  });

  it('a unit is applied whole or not at all, and keeps no other from being applied', async (trial) => {
    const first = await plant(trial);
    const lease = await trial.start();
    const [one, two, three, four] = [spec(), spec(), spec(), spec()];
    const stale: PlanChange = { ...first, key: 'new', version: 1 };
    const receipts = await trial.store.commit(
      [
        {
          plans: [{ ...first, version: 1, value: '{"n":1}' }, stale],
          enqueue: [one],
          reports: [told('p', 'x')],
        },
        {
          settle: { id: lease.id, token: 'stale', outcome: completed() },
          plans: [{ ...first, version: 1 }],
          enqueue: [two],
        },
        {
          plans: [
            { ...first, version: 1, value: '{"n":2}' },
            { ...first, key: 'new' },
          ],
          enqueue: [three, three],
          reports: [told('new', 'y'), told('nobody', 'z')],
        },
        { plans: [{ ...first, version: 1, value: '{"n":3}' }], enqueue: [four] },
        { settle: { id: lease.id, token: lease.token, outcome: completed('1') }, enqueue: [four] },
      ],
      { now: T0 },
    );
    assert.deepEqual(
      receipts.map(({ status }) => status),
      ['conflict', 'lost', 'committed', 'conflict', 'committed'],
    );
    assert.deepEqual(receipts[0], { status: 'conflict', enqueued: [], reported: [] });
    assert.deepEqual(receipts[1], {
      status: 'lost',
      settled: { status: 'lost' },
      enqueued: [],
      reported: [],
    });
    assert.deepEqual(
      receipts[2]?.enqueued.map(({ status, id }) => [status, id]),
      [
        ['created', three.id],
        ['existing', three.id],
      ],
    );
    assert.deepEqual(receipts[2]?.reported, [true, false]);
    assert.deepEqual(receipts[4]?.settled, { status: 'settled', state: 'completed' });
    assert.deepEqual(await Promise.all([one, two, three, four].map(({ id }) => trial.state(id))), [
      null,
      null,
      'ready',
      'ready',
    ]);
    assert.equal(await trial.state(lease.id), 'completed');
    assert.equal((await trial.store.plan('p'))?.value, '{"n":2}');
    assert.deepEqual((await due(trial, 'p')).reports, []);
    assert.deepEqual(
      (await due(trial, 'new')).reports.map(({ as }) => as),
      ['y'],
    );
    assert.deepEqual(await trial.store.commit([]), []);
  });

  it('of many units, those in conflict leave nothing behind and the others are whole', async (trial) => {
    const count = 40;
    const fits = (index: number): boolean => index % 4 !== 1;
    await plant(trial, { key: 'parent' });
    const first = await plant(trial, { key: 'p0', wakeAt: T0 + 5 });
    for (let index = 2; index < count; index += 2) await plant(trial, { key: `p${index}` });
    const jobs = Array.from({ length: count }, () => [spec(reporting('s:a:0')), spec()]);
    const receipts = await trial.store.commit(
      jobs.map((enqueue, index): Unit => {
        const keep = [{ name: 'result', text: `${index}` }];
        const change = { ...first, key: `p${index}`, state: 'done', expiresAt: T0 + 9, keep };
        const child = { ...first, key: `child${index}`, keep };
        return {
          // Even ones are there at version 1, odd ones are not.
          plans: [{ ...change, version: index % 2 === 0 || !fits(index) ? 1 : 0 }, child],
          enqueue,
          reports: [told('parent', `${index}`), told('nobody', 'x')],
        };
      }),
      { now: T0 },
    );
    for (const [index, [one, two]] of jobs.entries()) {
      const isIn = fits(index);
      assert.deepEqual(receipts[index], {
        status: isIn ? 'committed' : 'conflict',
        enqueued: isIn ? [one, two].map((job) => ({ status: 'created', id: job?.id, state: 'ready' })) : [],
        reported: isIn ? [true, false] : [],
      });
      for (const key of [`p${index}`, `child${index}`]) {
        const plan = await trial.store.plan(key, 'all');
        assert.deepEqual(plan?.kept, isIn ? { result: `${index}` } : undefined);
      }
      assert.equal(await trial.state(one?.id as string), isIn ? 'ready' : null);
    }
    assert.deepEqual(
      (await due(trial, 'parent')).reports.map(({ as }) => as),
      jobs.flatMap((_, index) => (fits(index) ? [`${index}`] : [])),
    );
    // The index of times to wake follows: each of these wakes, and none of those that went.
    const { plans } = await trial.store.duePlans({ limit: 100, now: T0 + 5 });
    assert.equal(
      plans.filter(({ key }) => key !== 'parent').length,
      2 * jobs.filter((_, index) => fits(index)).length,
    );
  });

  it('units of one call meet the effects of those before them', async (trial) => {
    const first = await plant(trial);
    const units = [1, 2, 3].map(
      (version): Unit => ({ plans: [{ ...first, version, value: `{"n":${version}}` }] }),
    );
    const receipts = await trial.store.commit(units, { now: T0 });
    assert.deepEqual(
      receipts.map((receipt) => receipt.status),
      ['committed', 'committed', 'committed'],
    );
    assert.equal((await trial.store.plan('p'))?.value, '{"n":3}');
  });

  it('of many who commit at one version, one wins', async (trial) => {
    const first = await plant(trial);
    const stores = trial.store.capabilities.shared ? [trial.store, await trial.reopen()] : [trial.store];
    const specs = Array.from({ length: 8 }, () => spec());
    const receipts = await Promise.all(
      specs.map(async (one, index) => {
        const store = stores[index % stores.length] ?? trial.store;
        return only(await store.commit([{ plans: [{ ...first, version: 1 }], enqueue: [one] }], { now: T0 }));
      }),
    );
    assert.equal(receipts.filter((receipt) => receipt.status === 'committed').length, 1);
    const states = await Promise.all(specs.map(({ id }) => trial.state(id)));
    assert.equal(states.filter((state) => state === 'ready').length, 1);
  });

  it('a plan that is deleted goes with its kept texts and reports', async (trial) => {
    const first = await plant(trial, { keep: [{ name: 'a', text: '1' }] });
    await trial.store.commit([{ reports: [told('p', 'x')] }], { now: T0 });
    assert.equal(await status(trial, { plans: [{ ...first, version: 1, value: null }] }), 'committed');
    assert.equal(await trial.store.plan('p', 'all'), null);
    await plant(trial);
    assert.deepEqual((await trial.store.plan('p', 'all'))?.kept, {});
    assert.deepEqual((await due(trial, 'p')).reports, []);
  });

  it('a signal comes with its payload', async (trial) => {
    await plant(trial);
    const error = { attempt: 0, at: T0, name: 'Error', message: 'ü', stack: null, code: 'X' };
    await trial.store.commit([{ reports: [{ ...told('p', 'signal:go', '{"by":"ada"}'), error }] }], {
      now: T0 + 3,
    });
    const { no: _, ...report } = only((await due(trial, 'p')).reports);
    assert.deepEqual(report, {
      plan: 'p',
      as: 'signal:go',
      state: 'told',
      result: '{"by":"ada"}',
      error,
      job: null,
      attempt: 0,
      startedAt: null,
      at: T0 + 3,
    });
  });

  it('prune deletes plans whose time is over, and no others', async (trial) => {
    await plant(trial, { key: 'over', expiresAt: T0 + 10, keep: [{ name: 'a', text: '1' }] });
    await plant(trial, { key: 'soon', expiresAt: T0 + 11 });
    await plant(trial, { key: 'never' });
    await trial.store.prune({ now: T0 + 10 });
    const left = await trial.store.listPlans({ kind: 'run', limit: 10 });
    assert.deepEqual(
      left.plans.map(({ key }) => key),
      ['never', 'soon'],
    );
  });

  it('the hint `planEnded` follows a plan that is to expire', async (trial) => {
    const first = await plant(trial);
    const hinted = new Promise<void>((resolve) => {
      trial.store.notifier.subscribe('planEnded', resolve);
    });
    await trial.store.commit([{ plans: [{ ...first, version: 1, expiresAt: T0 + 10 }] }], { now: T0 });
    await hinted;
  });

  it('plans and reports are there after the store was closed and opened again', async (trial) => {
    if (!trial.store.capabilities.durable) return;
    await plant(trial, { keep: [{ name: 'a', text: '1' }] });
    await trial.store.commit([{ reports: [told('p', 'x')] }], { now: T0 });
    const other = await trial.reopen();
    await trial.store.close();
    assert.deepEqual((await other.plan('p', 'all'))?.kept, { a: '1' });
    const { plans } = await other.duePlans({ limit: 5, now: T0 });
    assert.deepEqual(
      plans.map(({ key, reports }) => [key, reports.length]),
      [['p', 1]],
    );
  });
}

export async function status(trial: Trial, unit: Unit, now = T0): Promise<string> {
  return only(await trial.store.commit([unit], { now })).status;
}

export function told(plan: string, as: string, result: string | null = null): NewReport {
  return { plan, as, state: 'told', result, error: null };
}
