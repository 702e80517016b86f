import assert from 'node:assert/strict';
import { planRefIn, planRefText } from '../../core/plan.ts';
import type { Report } from '../../store/plans.ts';
import type { Lease } from '../../store/store.ts';
import type { It } from './area.ts';
import { due, plant, reporting } from './plan-trial.ts';
import { ENDS } from './report-ends.ts';
import { completed, failed, only, retried, spec, T0, type Trial } from './trial.ts';

/** Jobs that report to a plan: every way in which a job can end adds one report, in the same commit. */
export function reportsArea(given: It): void {
  const it: It = (sentence, body) => given(sentence, body, 'plans');
  it('a job that ends adds one report to its plan, with how it ended and its result', async (trial) => {
    await plant(trial);
    const lease = await trial.start(reporting('s:a:0'));
    assert.deepEqual(await reports(trial), []);
    await trial.settle(lease, completed('{"n":2}'), T0 + 5);
    const report = only(await reports(trial));
    assert.deepEqual(
      { ...report, no: 0 },
      {
        no: 0,
        plan: 'p',
        as: 's:a:0',
        job: lease.id,
        state: 'completed',
        result: '{"n":2}',
        error: null,
        attempt: 1,
        startedAt: T0,
        at: T0 + 5,
      },
    );
  });

  for (const [what, end] of Object.entries(ENDS)) {
    it(`a job reports once when ${what}`, async (trial) => {
      await plant(trial);
      const expected = await end(trial);
      const report = only(await reports(trial));
      assert.deepEqual(
        [report.as, report.state, report.result],
        ['s:a:0', expected.state, expected.result ?? null],
      );
      assert.equal(report.error?.message ?? null, expected.message ?? null);
    });
  }

  it('a retry, a snooze, a release and a lost outcome report nothing', async (trial) => {
    await plant(trial);
    const lease = await trial.start(reporting('s:a:0'));
    await trial.settle(lease, retried());
    const second = await trial.take();
    await trial.settle(lease, completed());
    await trial.settle(second, { type: 'snoozed', delayMs: 0 });
    const third = await trial.take();
    await trial.settle(third, { type: 'released' });
    assert.deepEqual(await reports(trial), []);
    await trial.settle(await trial.take(), completed());
    assert.equal((await reports(trial)).length, 1);
  });

  it('a redriven job reports again when it ends again', async (trial) => {
    await plant(trial);
    const lease = await trial.start(reporting('s:a:0'));
    await trial.settle(lease, failed());
    await trial.control({ type: 'redrive', id: lease.id });
    await trial.settle(await trial.take(), completed('1'));
    assert.deepEqual(
      (await reports(trial)).map(({ state }) => state),
      ['failed', 'completed'],
    );
  });

  it('ends of one batch report each, plain jobs and jobs with keys of either kind alike', async (trial) => {
    await plant(trial);
    await plant(trial, { key: 'other' });
    const unique = { key: 'u', mode: 'existing', periodMs: 0 } as const;
    await trial.store.enqueue(
      [
        spec(),
        spec(reporting('i:a:0:0')),
        spec({ ...reporting('i:a:0:1'), key: 'k' }),
        spec({ ...reporting('i:a:0:2'), unique }),
        spec(reporting('x', 'other')),
        spec(reporting('y', 'nobody')),
        spec(),
      ],
      { now: T0 },
    );
    const leases = await trial.claim();
    const receipts = await trial.store.settle(
      leases.map(({ id, token }, index) => ({ id, token, outcome: completed(String(index)) })),
      { now: T0 },
    );
    assert.ok(receipts.every(({ status }) => status === 'settled'));
    const told = (await reports(trial)).map(({ as, result }) => [as, result]).sort();
    assert.deepEqual(told, [
      ['i:a:0:0', '1'],
      ['i:a:0:1', '2'],
      ['i:a:0:2', '3'],
    ]);
    assert.deepEqual(
      (await reports(trial, 'other')).map(({ as }) => as),
      ['x'],
    );
  });

  for (const [what, isLost] of [
    ['in any order', false],
    ['with a lost one', true],
  ] as const)
    it(`a large batch of jobs that report and of plain ones reports each once, ${what}`, async (trial) => {
      await plant(trial);
      const specs = Array.from({ length: 90 }, (_, index) =>
        spec(index % 3 === 0 ? {} : reporting(`i:a:0:${index}`)),
      );
      await trial.store.enqueue(specs, { now: T0 });
      const leases = [...(await trial.claim())].reverse();
      if (isLost) await trial.settle(leases[7] as Lease, completed('"first"'));
      const receipts = await trial.store.settle(
        leases.map(({ id, token }, index) => ({ id, token, outcome: completed(`${index}`) })),
        { now: T0 },
      );
      assert.deepEqual(
        receipts.flatMap(({ status }, index) => (status === 'lost' ? [index] : [])),
        isLost ? [7] : [],
      );
      const expected = leases.flatMap(({ meta }, index) => {
        const ref = planRefIn(meta);
        return ref === null ? [] : [[ref.as, isLost && index === 7 ? '"first"' : `${index}`, 1, T0]];
      });
      const told = (await reports(trial)).map(({ as, result, attempt, startedAt }) => [
        as,
        result,
        attempt,
        startedAt,
      ]);
      assert.deepEqual(told.sort(), expected.sort());
    });

  it('every job of a batch that is completed whole reports', async (trial) => {
    await plant(trial);
    const parts = Array.from({ length: 25 }, (_, index) => `i:a:0:${index}`);
    await trial.store.enqueue(
      parts.map((as) => spec(reporting(as))),
      { now: T0 },
    );
    const leases = await trial.claim();
    await trial.store.settle(
      leases.map(({ id, token }) => ({ id, token, outcome: completed('1') })),
      { now: T0 },
    );
    assert.deepEqual((await reports(trial)).map(({ as }) => as).sort(), parts.toSorted());
  });

  it('a job reports whatever else its meta says', async (trial) => {
    await plant(trial);
    const plan = planRefText({ plan: 'p', as: 's:a:0' });
    const meta = JSON.stringify({
      tags: ['\ud800', '\u0000', 'ü𝄞', '"plan"', '\\ud800'],
      correlationId: '\udfff',
      plan,
    });
    await trial.settle(await trial.start({ meta }), completed('1'));
    assert.equal(only(await reports(trial)).as, 's:a:0');
  });

  it('the error of a report is the last one of its job, however much was logged since', async (trial) => {
    await plant(trial);
    await trial.settle(await trial.start(reporting('s:a:0')), retried());
    const { id, token } = await trial.take();
    const logs = Array.from({ length: 250 }, (_, index) => ({
      at: T0,
      attempt: 2,
      message: `line ${index}`,
      data: null,
    }));
    await trial.store.annotate([{ id, token, logs }], { now: T0 });
    await trial.settle({ id, token }, { type: 'released' });
    await trial.control({ type: 'cancel', id });
    const report = only(await reports(trial));
    assert.deepEqual([report.state, report.error?.message], ['cancelled', 'it broke']);
  });

  it('a plan that does not exist takes no report, and the job ends all the same', async (trial) => {
    const lease = await trial.start(reporting('s:a:0'));
    await trial.settle(lease, completed());
    assert.equal(await trial.state(lease.id), 'completed');
    await plant(trial);
    assert.deepEqual(await reports(trial), []);
  });

  it('numbers of reports grow, and are not given again after reports were taken', async (trial) => {
    const first = await plant(trial);
    for (const as of ['a', 'b']) await trial.settle(await trial.start(reporting(as)), completed());
    const taken = (await reports(trial)).map(({ no }) => no);
    assert.ok((taken[0] ?? 0) < (taken[1] ?? 0));
    await trial.store.commit([{ plans: [{ ...first, version: 1, taken }] }], { now: T0 });
    assert.deepEqual(await reports(trial), []);
    await trial.settle(await trial.start(reporting('c')), completed());
    assert.ok(only(await reports(trial)).no > (taken[1] ?? 0));
  });

  it('results of any size and text come as they were settled', async (trial) => {
    await plant(trial);
    const result = JSON.stringify({ text: `${'ü𝄞"\u001f\u001e;,'.repeat(20_000)}` });
    await trial.settle(await trial.start(reporting('s:a:0')), completed(result));
    assert.equal(only(await reports(trial)).result, result);
  });

  it('the hint `plan` follows a report', async (trial) => {
    await plant(trial);
    const lease = await trial.start(reporting('s:a:0'));
    const hinted = new Promise<void>((resolve) => {
      trial.store.notifier.subscribe('plan', resolve);
    });
    await trial.settle(lease, completed());
    await hinted;
  });
}

async function reports(trial: Trial, key = 'p'): Promise<readonly Report[]> {
  return (await due(trial, key)).reports;
}
