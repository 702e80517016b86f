import { runsJobs, type StepData } from '../core/flow/data.ts';
import { partText } from '../core/flow/names.ts';
import type { RunValue, StepState } from '../core/flow/run.ts';
import type { PlanRecord } from '../store/plans.ts';
import type { Store } from '../store/store.ts';
import type { Definitions } from './definitions.ts';
import { childId, runKey } from './run-plan.ts';

/** Every job that a run made, and those of the runs that are steps of it: their ids follow from the run's value. */
export interface RunParts {
  readonly plan: PlanRecord;
  readonly run: RunValue;
  /** Names of its jobs' parts in the order of its steps, made as they are asked for. Some jobs may be gone. */
  parts(): Iterable<string>;
}

export interface PartsMeans {
  readonly store: Store;
  readonly definitions: Definitions;
}

const RUNS_MAX = 200;

/** The run itself first; at most 200 in all. */
export async function* runsWithin(
  plan: PlanRecord,
  { store, definitions }: PartsMeans,
): AsyncGenerator<RunParts> {
  const plans: PlanRecord[] = [plan];
  for (let index = 0; index < plans.length; index += 1) {
    const own = plans[index] as PlanRecord;
    const run = JSON.parse(own.value) as RunValue;
    const steps = (await definitions.get(run.version))?.steps ?? [];
    yield { plan: own, run, parts: () => partsOf(run, steps) };
    for (const { kind, name } of steps) {
      const state = run.steps[name];
      if (kind !== 'flow' || state === undefined || plans.length >= RUNS_MAX) continue;
      const child = await store.plan(runKey(childId(run.id, { step: name, gen: state.gen })));
      if (child !== null) plans.push(child);
    }
  }
}

function* partsOf(run: RunValue, steps: readonly StepData[]): Generator<string> {
  for (const step of steps) {
    const state = run.steps[step.name];
    if (state !== undefined) yield* jobParts(step, state);
  }
}

/** Of each time that the step was started. */
function* jobParts(step: StepData, { gen, items, turns = 0, undo }: StepState): Generator<string> {
  const { name } = step;
  for (let time = 0; time <= gen && runsJobs(step); time += 1) {
    const many = step.kind === 'each' ? (items?.of ?? 0) : step.kind === 'loop' ? turns + 1 : null;
    if (many === null) yield partText('s', name, time);
    else for (let index = 0; index < many; index += 1) yield partText('i', name, time, index);
  }
  for (let time = 0; undo !== undefined && time <= undo.gen; time += 1) yield partText('u', name, time);
}
