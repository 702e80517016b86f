import type { Job } from '../core/job.ts';
import { isTerminal } from '../core/job-state.ts';
import { type JobSteps, parseEntry, parseKept, parseUntil, STEP_KEPT, stepPlace } from '../core/job-steps.ts';
import type { PayloadPlace } from '../core/payload.ts';
import type { PlanRecord } from '../store/plans.ts';

/** The durable steps of a job, as people and programs read them. */
export interface JobStepView {
  readonly name: string;
  readonly kind: 'step' | 'sleep' | 'signal';
  /** `kept`: done, or the signal has come. `waiting`: the job sleeps or waits for it now. */
  readonly state: 'kept' | 'waiting' | 'timedOut' | 'slept';
  /** When it was kept, in ms since the epoch; null: not yet. */
  readonly at: number | null;
  /** When a sleep or a wait is over; null for others, and for a wait without a timeout. */
  readonly until: number | null;
  /** What the step returned, or the signal's payload; what cannot be read is `{ corrupt: text }`. */
  readonly value: unknown;
}

/** In the order in which they were kept, then what the job waits for. */
export function jobStepsView(
  plan: PlanRecord | null,
  job: Pick<Job, 'id' | 'state'>,
  readable: (text: string | null, place: PayloadPlace) => unknown,
): JobStepView[] {
  if (plan === null) return [];
  const { waits } = JSON.parse(plan.value) as JobSteps;
  const waiting = waits.filter(
    ({ kind, name }) =>
      !isTerminal(job.state) && (kind === 'sleep' || plan.kept[STEP_KEPT.signal(name)] === undefined),
  );
  const kept = Object.entries(plan.kept).flatMap(([kept, text]): JobStepView[] => {
    const parsed = parseKept(kept);
    if (parsed === null || parsed.is === 'timeout') return [];
    const { is, name } = parsed;
    if (is === 'sleep') {
      const until = parseUntil(text);
      const isPending = waiting.some((wait) => wait.kind === 'sleep' && wait.name === name);
      return isPending ? [] : [{ name, kind: 'sleep', state: 'slept', at: until, until, value: undefined }];
    }
    const entry = parseEntry(text);
    const kind = is === 'result' ? 'step' : 'signal';
    const state = is === 'timedOut' ? 'timedOut' : 'kept';
    const value = readable(entry.text, stepPlace(job.id, kept));
    return [{ name, kind, state, at: entry.at, until: null, value }];
  });
  kept.sort((one, other) => (one.at ?? 0) - (other.at ?? 0));
  return [
    ...kept,
    ...waiting.map((wait) => ({ ...wait, state: 'waiting' as const, at: null, value: undefined })),
  ];
}
