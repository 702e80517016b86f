import assert from 'node:assert/strict';
import test from 'node:test';
import { planRefIn, planRefText } from '../../src/core/plan.ts';

const REF = { plan: 'run/order-7', as: 's:ship:0' };
const META = JSON.stringify({ correlationId: 'c', plan: planRefText(REF), flow: 'order' });

test('a job’s meta names the plan it reports to', () => {
  assert.deepEqual(planRefIn(META), REF);
  for (const none of [null, undefined, '{}', '{"tags":["plan"]}', '{"plan":7}'])
    assert.equal(planRefIn(none), null);
});

test('a damaged meta that still names its plan whole is read for that', () => {
  assert.deepEqual(planRefIn(META.slice(0, META.indexOf(',"flow"'))), REF);
  assert.deepEqual(planRefIn(`\u0000${META.slice(3)}`), REF);
  assert.equal(planRefIn(META.slice(0, META.indexOf('ship'))), null);
});
