import assert from 'node:assert/strict';
import { planRefText } from '../../core/plan.ts';
import type { DuePlan, PlanChange, Report } from '../../store/plans.ts';
import type { JobSpec } from '../../store/store.ts';
import type { It } from './area.ts';
import {
  attemptError,
  completed,
  failed,
  LEASE_MS,
  only,
  ordered,
  retried,
  spec,
  T0,
  type Trial,
} from './trial.ts';

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

interface Expected {
  readonly state: Report['state'];
  readonly result?: string;
  readonly message?: string;
}

const BROKE: Expected = { state: 'failed', message: 'it broke' };

const ENDS: Readonly<Record<string, (trial: Trial) => Promise<Expected>>> = {
  'it fails for good': async (trial) => {
    await trial.settle(await trial.start(reporting('s:a:0')), failed());
    return BROKE;
  },
  'its attempts are used up': async (trial) => {
    await trial.settle(await trial.start({ ...reporting('s:a:0'), attemptsMax: 1 }), retried());
    return BROKE;
  },
  'its handler is cancelled': async (trial) => {
    await trial.settle(await trial.start(reporting('s:a:0')), { type: 'cancelled', error: attemptError() });
    return { state: 'cancelled', message: 'it broke' };
  },
  'it is cancelled while it waits': async (trial) => {
    const id = await trial.add(reporting('s:a:0'));
    await trial.control({ type: 'cancel', id });
    return { state: 'cancelled' };
  },
  'it is cancelled before it is due': async (trial) => {
    const id = await trial.add({ ...reporting('s:a:0'), delayMs: 60_000 });
    await trial.control({ type: 'cancel', id });
    return { state: 'cancelled' };
  },
  'it was to be cancelled and its lease expires': async (trial) => {
    const { id } = await trial.start(reporting('s:a:0'));
    await trial.control({ type: 'cancel', id });
    const { reaped } = await trial.store.reap({ now: T0 + LEASE_MS });
    return { state: 'cancelled', message: only(reaped).error.message };
  },
  'it loses its last lease': async (trial) => {
    await trial.start(reporting('s:a:0'));
    const { reaped } = await trial.store.reap({ now: T0 + LEASE_MS, crashesMax: 1 });
    return { state: 'failed', message: only(reaped).error.message };
  },
  'it was to be cancelled and its worker retires': async (trial) => {
    const { id } = await trial.start(reporting('s:a:0'));
    await trial.control({ type: 'cancel', id });
    await trial.store.retire('w1', { now: T0 });
    return { state: 'cancelled' };
  },
  'it is removed while it waits': async (trial) => {
    const id = await trial.add(reporting('s:a:0'));
    await trial.control({ type: 'remove', id });
    return { state: 'cancelled' };
  },
  'its queue is cleared while it waits': async (trial) => {
    await trial.add(reporting('s:a:0'));
    await trial.store.clear('q', ['ready']);
    return { state: 'cancelled' };
  },
  'its queue is cleared while it runs': async (trial) => {
    await trial.start(reporting('s:a:0'));
    await trial.store.clear('q', ['running']);
    return { state: 'cancelled' };
  },
  'its queue keeps nothing of what ends': async (trial) => {
    await trial.store.configureQueue('q', { retention: { completed: { ageMs: 0, count: null } } });
    await trial.settle(await trial.start(reporting('s:a:0')), completed('7'));
    return { state: 'completed', result: '7' };
  },
  'it has a key and completes': async (trial) => {
    await trial.settle(await trial.start({ ...reporting('s:a:0'), key: 'k' }), completed('7'));
    return { state: 'completed', result: '7' };
  },
  'it failed, reported, and is resolved by hand': async (trial) => {
    const lease = await trial.start(reporting('s:a:0'));
    await trial.settle(lease, failed());
    await take(trial);
    await trial.store.control([ordered({ type: 'resolve', id: lease.id, result: '9' })], { now: T0 });
    return { state: 'completed', result: '9' };
  },
};

async function take(trial: Trial): Promise<void> {
  const plan = await due(trial, 'p');
  const { key, kind, label, state, version, value, wakeAt, expiresAt } = plan;
  const taken = plan.reports.map(({ no }) => no);
  await trial.store.commit([
    { plans: [{ key, kind, label, state, version, value, wakeAt, expiresAt, taken }] },
  ]);
}

/** What makes a job report to plan `p`. */
function reporting(as: string, plan = 'p'): Partial<JobSpec> {
  return { meta: JSON.stringify({ plan: planRefText({ plan, as }) }) };
}

/** Adds a plan; returns the change that did. */
export async function plant(trial: Trial, changes: Partial<PlanChange> = {}): Promise<PlanChange> {
  const change: PlanChange = {
    key: 'p',
    kind: 'run',
    label: 'flow',
    state: 'running',
    version: 0,
    value: '{"n":0}',
    wakeAt: null,
    expiresAt: null,
    ...changes,
  };
  const receipt = only(await trial.store.commit([{ plans: [change] }], { now: T0 }));
  assert.equal(receipt.status, 'committed');
  return change;
}

export async function due(trial: Trial, key: string): Promise<DuePlan> {
  const { plans } = await trial.store.duePlans({ keys: [key], limit: 1, now: T0 });
  return only(plans);
}

async function reports(trial: Trial, key = 'p'): Promise<readonly Report[]> {
  return (await due(trial, key)).reports;
}
