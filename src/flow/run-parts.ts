import { runsJobs, type StepData } from '../core/flow/data.ts';
import { partText } from '../core/flow/names.ts';
import type { RunValue, StepState } from '../core/flow/run.ts';
import type { PlanRecord } from '../store/plans.ts';
import type { Store } from '../store/store.ts';
import type { Definitions } from './definitions.ts';
import { childId, jobIdOf, runKey } from './run-plan.ts';

/** Every job that a run made, and those of the runs that are steps of it: their ids follow from the run's value. */
export interface RunParts {
  /** Some may be gone. */
  readonly ids: readonly string[];
  /** The run itself first. */
  readonly plans: readonly PlanRecord[];
}

const RUNS_MAX = 200;

export async function partsOf(
  plan: PlanRecord,
  { store, definitions }: { readonly store: Store; readonly definitions: Definitions },
): Promise<RunParts> {
  const plans: PlanRecord[] = [plan];
  const ids: string[] = [];
  for (let index = 0; index < plans.length; index += 1) {
    const run = JSON.parse((plans[index] as PlanRecord).value) as RunValue;
    const flow = await definitions.get(run.version);
    for (const step of flow?.steps ?? []) {
      const state = run.steps[step.name];
      if (state === undefined) continue;
      for (const as of jobParts(step, state)) ids.push(jobIdOf(run, as));
      if (step.kind !== 'flow' || plans.length >= RUNS_MAX) continue;
      const child = await store.plan(runKey(childId(run.id, { step: step.name, gen: state.gen })));
      if (child !== null) plans.push(child);
    }
  }
  return { ids, plans };
}

/** Of each time that the step was started. */
function jobParts(step: StepData, { gen, items, turns = 0, undo }: StepState): string[] {
  const { name } = step;
  const parts: string[] = [];
  for (let time = 0; time <= gen && runsJobs(step); time += 1) {
    const many = step.kind === 'each' ? (items?.of ?? 0) : step.kind === 'loop' ? turns + 1 : null;
    if (many === null) parts.push(partText('s', name, time));
    else for (let index = 0; index < many; index += 1) parts.push(partText('i', name, time, index));
  }
  for (let time = 0; undo !== undefined && time <= undo.gen; time += 1) parts.push(partText('u', name, time));
  return parts;
}
