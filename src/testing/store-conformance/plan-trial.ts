import assert from 'node:assert/strict';
import { planRefText } from '../../core/plan.ts';
import type { DuePlan, PlanChange } from '../../store/plans.ts';
import type { JobSpec } from '../../store/store.ts';
import { only, T0, type Trial } from './trial.ts';

/** What makes a job report to plan `p`. */
export function reporting(as: string, plan = 'p'): Partial<JobSpec> {
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
