import { parsePart } from './flow/names.ts';
import { planRefIn } from './plan.ts';

/** Where in the run of a flow a job stands: `context.flow` of its handler. */
export interface JobFlow {
  /** The run's id. */
  readonly run: string;
  /** The flow's name. */
  readonly flow: string;
  /** The step's name. */
  readonly step: string;
  /** Of a fan-out: the item's index, from 0; of a step with a cursor: how many jobs it had before. Null for other steps. */
  readonly item: number | null;
  /** This job takes back what the step did. */
  readonly undo: boolean;
}

/** Plans of runs have keys that begin so. */
export const RUN_PREFIX = 'run/';

/** Null for a job that is no step. */
export function jobFlowIn(meta: string | null): JobFlow | null {
  const ref = planRefIn(meta);
  if (ref === null || !ref.plan.startsWith(RUN_PREFIX)) return null;
  const part = parsePart(ref.as);
  if (part === null) return null;
  const { flow } = JSON.parse(meta as string) as { readonly flow?: string };
  return {
    run: ref.plan.slice(RUN_PREFIX.length),
    flow: flow ?? '',
    step: part.step,
    item: part.kind === 'i' ? part.index : null,
    undo: part.kind === 'u',
  };
}
