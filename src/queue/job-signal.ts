import type { Clock } from '../core/clock.ts';
import { LongshoreError, requireName, show } from '../core/errors.ts';
import { isTerminal } from '../core/job-state.ts';
import {
  entryText,
  JOB_STEPS_CHECK_MS,
  type JobSteps,
  jobStepsChange,
  jobStepsKey,
  STEP_KEPT,
  stepPlace,
} from '../core/job-steps.ts';
import type { PayloadCodec } from '../core/payload.ts';
import type { Store } from '../store/store.ts';
import { gone } from './gone.ts';

/**
 * Signals to jobs: kept in the job's steps, whether or not its handler waits already. Where it does, the job is brought
 * forward; should the process die before that, the planner of any worker does it (flow/job-steps-rule.ts).
 */
export interface SignalMeans {
  readonly store: Store;
  readonly codec: PayloadCodec;
  readonly clock: Clock;
}

/** What the sender did not do by then, a worker does. */
const GRACE_MS = 2_000;

export async function signalJob(
  { store, codec, clock }: SignalMeans,
  { id, name, payload }: { readonly id: string; readonly name: string; readonly payload: unknown },
): Promise<void> {
  requireName('name', name);
  const kept = STEP_KEPT.signal(name);
  const what = `the payload of signal ${show(name)} to job ${id}`;
  const sealed = codec.encode(payload, stepPlace(id, kept), what);
  const timedOut = STEP_KEPT.timedOut(name);
  // Whoever changes the steps meanwhile makes it conflict: the handler, which keeps one, or another signal.
  for (;;) {
    const [[job], plan] = await Promise.all([store.get([id]), store.plan(jobStepsKey(id), [kept, timedOut])]);
    if (job == null) throw gone(id);
    if (isTerminal(job.state)) throw refused(id, name, `the job is ${job.state}`);
    if (plan?.kept[kept] !== undefined)
      throw refused(id, name, 'it has come already, and the first one counts');
    if (plan?.kept[timedOut] !== undefined) throw refused(id, name, 'its wait has timed out');
    const steps: JobSteps = plan === null ? { owner: null, waits: [] } : (JSON.parse(plan.value) as JobSteps);
    const now = clock.now();
    const isAwaited = steps.waits.some((wait) => wait.kind === 'signal' && wait.name === name);
    const wakeAt = isAwaited ? now + GRACE_MS : (plan?.wakeAt ?? now + JOB_STEPS_CHECK_MS);
    const change = jobStepsChange({ job: id, task: job.task, version: plan?.version ?? 0 }, steps, wakeAt);
    const keep = [{ name: kept, text: entryText({ at: now, text: sealed }) }];
    const [receipt] = await store.commit([{ plans: [{ ...change, keep }] }]);
    if (receipt?.status !== 'committed') continue;
    if (isAwaited) await store.control([bringForward(id, name, now)]);
    return;
  }
}

function bringForward(id: string, name: string, now: number) {
  return { type: 'reschedule', id, dueAt: now, by: 'signal', why: `signal ${show(name)} came` } as const;
}

function refused(id: string, name: string, why: string): LongshoreError {
  return new LongshoreError('JOB_STATE_REFUSED', `Job ${id} takes no signal ${show(name)}: ${why}.`, {
    details: { id, name },
  });
}
