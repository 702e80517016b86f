import assert from 'node:assert/strict';
import { REPORT_CHARS_MAX, REPORTS_MAX } from '../../store/plans.ts';
import type { It } from './area.ts';
import { due, plant } from './plan-trial.ts';
import { status, told } from './plans.ts';
import { T0, type Trial } from './trial.ts';

/** Which plans wait to be decided on, with which reports; and how plans are listed. */
export function duePlansArea(given: It): void {
  const it: It = (sentence, body) => given(sentence, body, 'plans');
  it('plans are due by a report, once it is older than the grace, and by their time', async (trial) => {
    await plant(trial, { key: 'quiet' });
    await plant(trial, { key: 'later', wakeAt: T0 + 500 });
    await plant(trial, { key: 'told' });
    await plant(trial, { key: 'awake', wakeAt: T0 + 100 });
    await trial.store.commit([{ reports: [told('told', 'x')] }], { now: T0 + 50 });
    assert.deepEqual(await dueAt(trial, T0 + 50), [['told'], T0 + 100]);
    assert.deepEqual(await dueAt(trial, T0 + 50, 20), [[], T0 + 100]);
    assert.deepEqual(await dueAt(trial, T0 + 100, 20), [['told', 'awake'], T0 + 500]);
    assert.deepEqual(await dueAt(trial, T0 + 1_000, 20), [['told', 'awake', 'later'], null]);
    const { plans } = await trial.store.duePlans({ limit: 2, now: T0 + 1_000 });
    assert.equal(plans.length, 2);
    const { plans: named } = await trial.store.duePlans({
      keys: ['quiet', 'nobody', 'told'],
      limit: 10,
      now: T0,
    });
    assert.deepEqual(
      named.map(({ key, reports }) => [key, reports.length]),
      [
        ['quiet', 0],
        ['told', 1],
      ],
    );
  });

  it('reports come by their number, and no more than a bounded number at a time', async (trial) => {
    const first = await plant(trial);
    const many = Array.from({ length: REPORTS_MAX + 5 }, (_, index) => told('p', String(index)));
    await trial.store.commit([{ reports: many }], { now: T0 });
    const plan = await due(trial, 'p');
    assert.equal(plan.reports.length, REPORTS_MAX);
    assert.equal(plan.more, true);
    assert.deepEqual(
      plan.reports.map(({ as }) => as),
      many.slice(0, REPORTS_MAX).map(({ as }) => as),
    );
    const taken = plan.reports.map(({ no }) => no);
    assert.equal(await status(trial, { plans: [{ ...first, version: 1, taken }] }), 'committed');
    const rest = await due(trial, 'p');
    assert.deepEqual([rest.reports.length, rest.more], [5, false]);
  });

  it('results in one answer are bounded, and what is left out comes when the others were taken', async (trial) => {
    const first = await plant(trial);
    const result = JSON.stringify('x'.repeat(REPORT_CHARS_MAX / 2 + 1));
    for (const as of ['a', 'b', 'c'])
      await trial.store.commit([{ reports: [told('p', as, result)] }], { now: T0 });
    const seen: string[] = [];
    for (let version = 1; seen.length < 3; version += 1) {
      const plan = await due(trial, 'p');
      assert.ok(plan.reports.length > 0 && plan.reports.length < 3);
      seen.push(...plan.reports.map(({ as }) => as));
      assert.equal(plan.more, seen.length < 3);
      const taken = plan.reports.map(({ no }) => no);
      assert.equal(await status(trial, { plans: [{ ...first, version, taken }] }), 'committed');
    }
    assert.deepEqual(seen, ['a', 'b', 'c']);
  });

  it('a few plans are found among many', async (trial) => {
    const first = await plant(trial, { label: 'rare' });
    const plans = Array.from({ length: 1_200 }, (_, index) => ({
      ...first,
      key: `many-${index}`,
      label: 'common',
    }));
    await trial.store.commit([{ plans }], { now: T0 });
    await plant(trial, { key: 'last', label: 'rare' });
    const page = await trial.store.listPlans({ kind: 'run', label: 'rare', limit: 1 });
    assert.deepEqual(
      page.plans.map(({ key }) => key),
      ['last'],
    );
    assert.ok(page.cursor !== null);
    const next = await trial.store.listPlans({ kind: 'run', label: 'rare', limit: 1, cursor: page.cursor });
    assert.deepEqual([next.plans.map(({ key }) => key), next.cursor], [['p'], null]);
  });

  it('plans are listed newest first, by kind, label and state, in pages', async (trial) => {
    for (const [index, key] of ['a', 'b', 'c', 'd', 'e'].entries())
      await plant(trial, {
        key,
        label: index % 2 === 0 ? 'even' : 'odd',
        state: index < 2 ? 'failed' : 'running',
      });
    await plant(trial, { key: 'other', kind: 'schedule' });
    const keys = async (filter: object): Promise<string[]> =>
      (await trial.store.listPlans({ kind: 'run', limit: 10, ...filter })).plans.map(({ key }) => key);
    assert.deepEqual(await keys({}), ['e', 'd', 'c', 'b', 'a']);
    assert.deepEqual(await keys({ label: 'even' }), ['e', 'c', 'a']);
    assert.deepEqual(await keys({ states: ['failed'] }), ['b', 'a']);
    assert.deepEqual(await keys({ label: 'odd', states: ['failed', 'running'] }), ['d', 'b']);
    assert.deepEqual(await keys({ kind: 'schedule' }), ['other']);
    const page = await trial.store.listPlans({ kind: 'run', limit: 2 });
    assert.deepEqual(
      page.plans.map(({ key }) => key),
      ['e', 'd'],
    );
    assert.ok(page.cursor !== null);
    await plant(trial, { key: 'f' });
    assert.deepEqual(await keys({ cursor: page.cursor }), ['c', 'b', 'a']);
    assert.equal((await trial.store.listPlans({ kind: 'run', limit: 6 })).cursor, null);
    await assert.rejects(trial.store.listPlans({ kind: 'run', limit: 1, cursor: 'x' }), {
      code: 'OPTION_INVALID',
    });
  });
}

async function dueAt(trial: Trial, now: number, graceMs = 0): Promise<[string[], number | null]> {
  const { plans, nextWakeAt } = await trial.store.duePlans({ limit: 10, graceMs, now });
  return [plans.map(({ key }) => key), nextWakeAt];
}
