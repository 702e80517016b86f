import type { Clock } from '../core/clock.ts';
import { LongshoreError } from '../core/errors.ts';
import { type StepReason, whyStep } from '../core/flow/why-step.ts';
import { why } from '../core/why.ts';
import type { Store } from '../store/store.ts';
import { storeTime } from '../store/store-time.ts';
import type { RunDetail } from './run-view.ts';

/** Why a step does not run: what the run tells of it, or what holds its job. */
export interface StepWhy {
  readonly run: string;
  readonly step: string;
  readonly state: string;
  /** Of a step that has one. */
  readonly job: string | null;
  readonly reasons: readonly StepReason[];
}

/** Rejects with FLOW_STEP_UNKNOWN. */
export async function stepWhy(
  run: RunDetail,
  name: string,
  { store, clock }: { readonly store: Store; readonly clock: Clock },
): Promise<StepWhy> {
  const step = run.steps.find((one) => one.name === name);
  if (step === undefined)
    throw new LongshoreError(
      'FLOW_STEP_UNKNOWN',
      `Run '${run.id}' of flow '${run.flow}' has no step '${name}'.`,
      {
        details: { id: run.id, step: name },
      },
    );
  const answer = { run: run.id, step: name, state: step.state, job: step.job?.id ?? null };
  const own = whyStep(step, { ended: run.endedAt !== null, state: run.state });
  if (own !== null || step.job === null) return { ...answer, reasons: own === null ? [] : [own] };
  const [[job], queues, workers, now] = await Promise.all([
    store.get([step.job.id]),
    store.queues(),
    store.workers(),
    storeTime(store, clock),
  ]);
  const reasons = job == null ? [] : why(job, { queues, workers, now }).reasons;
  return { ...answer, reasons };
}
