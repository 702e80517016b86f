import type { FlowData, ParentRef, StepData } from './data.ts';
import { isLive, type RunValue, type StepState } from './run.ts';

/**
 * Whether a step may start: once every parent has ended. It is passed over when a branch it follows was not chosen, or
 * when all of its parents were passed over themselves; so a join behind a decision runs with what was chosen.
 */
export type Readiness = 'wait' | 'start' | 'skip';

export function readiness(run: RunValue, { after }: Pick<StepData, 'after'>): Readiness {
  if (after.length === 0) return 'start';
  const parents = after.map((ref) => parentSays(run, ref));
  if (parents.includes('wait')) return 'wait';
  if (parents.includes('notChosen')) return onlyNotChosen(after, parents) ? 'skip' : 'start';
  return parents.includes('start') ? 'start' : 'skip';
}

/**
 * With branches of one decision among the parents, one that was chosen is enough; without any chosen branch the step is
 * passed over, whatever its other parents say.
 */
function onlyNotChosen(after: readonly ParentRef[], parents: readonly ParentSays[]): boolean {
  return !after.some(({ branch }, index) => branch !== undefined && parents[index] === 'start');
}

type ParentSays = Readiness | 'notChosen';

function parentSays(run: RunValue, { step, branch }: ParentRef): ParentSays {
  const state = run.steps[step];
  if (!hasEnded(state)) return 'wait';
  if (branch !== undefined) return state.chose?.includes(branch) ? 'start' : 'notChosen';
  return state.is === 'skipped' ? 'skip' : 'start';
}

/** What a person wants to know of a step that has not begun. */
export interface StepReadiness {
  readonly parents: number;
  readonly parentsEnded: number;
  readonly waitsFor: readonly string[];
}

export function readinessOf(run: RunValue, { after }: StepData): StepReadiness {
  const waitsFor = after.filter((ref) => parentSays(run, ref) === 'wait').map(({ step }) => step);
  return {
    parents: after.length,
    parentsEnded: after.length - waitsFor.length,
    waitsFor: [...new Set(waitsFor)],
  };
}

/** Steps behind this one, near and far. */
export function descendants(flow: FlowData, name: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const step of flow.steps)
    if (step.after.some((ref) => ref.step === name || found.has(ref.step))) found.add(step.name);
  return found;
}

/** A failure lets what is behind it start only where the run goes on without it. */
function hasEnded(state: StepState | undefined): state is StepState {
  if (state === undefined || isLive(state) || state.is === 'cancelled') return false;
  return state.is !== 'failed' || state.passed === true;
}
