import assert from 'node:assert/strict';
import { LongshoreError } from '../../src/core/errors.ts';
import { NO_STOPS, type PlanRule } from '../../src/flow/plan-rule.ts';
import type { DuePlan } from '../../src/store/plans.ts';
import type { Store } from '../../src/store/store.ts';
import { Gate, onEachStore, PLAN_KINDS } from '../stage.ts';

const KEY = 'counter/1';
const COUNTER = { key: KEY, kind: 'counter', label: 'one', state: 'open', wakeAt: null, expiresAt: null };

onEachStore(
  'while a plan is changed by hand, reports that keep coming do not take that from under the hand',
  async ({ connectThrough }) => {
    let store = null as unknown as Store;
    const longshore = await connectThrough((real) => {
      store = real;
      return {};
    });
    const { planner } = longshore.flows;
    const mayGoOn = new Gate();
    let tries = 0;
    const rule: PlanRule = {
      kind: 'counter',
      async decide({ version, reports }: DuePlan, _now, action) {
        if (action !== undefined) {
          tries += 1;
          await mayGoOn.wait();
        }
        const taken = action === undefined ? reports.map(({ no }) => no) : [];
        const plans = [{ ...COUNTER, version, value: JSON.stringify({ version }), taken }];
        return { unit: { plans }, wakeAt: null, follow: [], stops: NO_STOPS, tell: () => undefined };
      },
      unknown: () => new LongshoreError('RUN_UNKNOWN', 'There is no counter.'),
    };
    planner.add(rule);
    await store.commit([{ plans: [{ ...COUNTER, version: 0, value: '{}' }] }]);
    const act = planner.act(rule, KEY, 'by hand');
    await mayGoOn.reached;
    for (let count = 0; count < 3; count += 1) {
      await store.commit([{ reports: [{ plan: KEY, as: 'x', state: 'told', result: null, error: null }] }]);
      await planner.kick([KEY]);
    }
    assert.equal((await store.plan(KEY))?.version, 1);
    mayGoOn.open();
    await act;
    assert.equal(tries, 1);
    await planner.kick([KEY]);
    const { plans } = await store.duePlans({ keys: [KEY], limit: 1 });
    assert.deepEqual([plans[0]?.version, plans[0]?.reports], [3, []]);
  },
  PLAN_KINDS,
);
