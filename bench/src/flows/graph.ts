import type { AnyFlow } from '../longshore.ts';

/** Which step follows which: what edges are measured by, and what the flows of other systems are made from. */
export type Graph = readonly GraphStep[];

export interface GraphStep {
  readonly name: string;
  /** Places of its parents in the graph. */
  readonly after: readonly number[];
  /** How many jobs the step is; 0 where only the run's input says. */
  readonly jobs: number;
  /** It chooses which of its children run. */
  readonly decides: boolean;
}

export function graphOf({ data: { steps } }: AnyFlow): Graph {
  const places = new Map(steps.map(({ name }, index) => [name, index]));
  return steps.map((step) => ({
    name: step.name,
    after: step.after.map((parent) => places.get(parent.step) as number),
    jobs: step.kind === 'each' ? itemsOf(step.over, step.size) : 1,
    decides: step.kind === 'decide',
  }));
}

function itemsOf(over: unknown, size: number | null): number {
  return typeof over === 'number' ? Math.ceil(over / (size ?? 1)) : 0;
}

/** No step has two children: the only graphs that a tree of jobs can be, with the last step at its root. */
export function isTreeUpwards(graph: Graph): boolean {
  const children = graph.map(() => 0);
  for (const { after } of graph) for (const parent of after) children[parent] = (children[parent] ?? 0) + 1;
  return children.every((count) => count <= 1);
}

/** Known before it runs. */
export function isFixed(graph: Graph): boolean {
  return graph.every(({ decides }) => !decides);
}
