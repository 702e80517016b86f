import { LongshoreError, show } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import {
  JOB_STEPS_CHECK_MS,
  JOB_STEPS_KIND,
  type JobSteps,
  jobOfSteps,
  jobStepsChange,
  STEP_KEPT,
} from '../core/job-steps.ts';
import type { DuePlan, PlanChange } from '../store/plans.ts';
import type { Store } from '../store/store.ts';
import { type Decided, NO_STOPS, type PlanRule } from './plan-rule.ts';

/**
 * Decides on the durable steps of jobs, when they wake: brings a job forward whose signal has come, should its sender have
 * died before it did, and deletes what jobs left behind that ended without their steps: resolved by hand, removed, pruned. The
 * steps of a failed or cancelled job stay as long as it does, for it may be redriven.
 */
export class JobStepsRule implements PlanRule {
  readonly kind = JOB_STEPS_KIND;
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async decide(plan: DuePlan, now: number): Promise<Decided> {
    const [job] = await this.#store.get([jobOfSteps(plan.key)]);
    const isOver = job == null || job.state === 'completed';
    // Before the commit: who dies in between leaves it due.
    if (job?.state === 'scheduled') await this.#bringForward(plan, job, now);
    const wakeAt = isOver ? null : now + JOB_STEPS_CHECK_MS;
    return {
      unit: { plans: [isOver ? { ...changeOf(plan, null), value: null } : changeOf(plan, wakeAt)] },
      wakeAt,
      follow: [],
      stops: NO_STOPS,
      tell: () => undefined,
    };
  }

  unknown(key: string): LongshoreError {
    const id = jobOfSteps(key);
    return new LongshoreError('JOB_UNKNOWN', `Job ${id} keeps no steps.`, { details: { id } });
  }

  async #bringForward({ key, value }: DuePlan, { id }: Job, now: number): Promise<void> {
    const { waits } = JSON.parse(value) as JobSteps;
    const names = waits.flatMap(({ kind, name }) => (kind === 'signal' ? [name] : []));
    if (names.length === 0) return;
    const found = await this.#store.plan(key, names.map(STEP_KEPT.signal));
    const came = names.find((name) => found?.kept[STEP_KEPT.signal(name)] !== undefined);
    if (came === undefined) return;
    const why = `signal ${show(came)} came`;
    await this.#store.control([{ type: 'reschedule', id, dueAt: now, by: 'signal', why }]);
  }
}

function changeOf({ key, label, version, value }: DuePlan, wakeAt: number | null): PlanChange {
  const of = { job: jobOfSteps(key), task: label, version };
  return { ...jobStepsChange(of, JSON.parse(value) as JobSteps, 0), wakeAt };
}
