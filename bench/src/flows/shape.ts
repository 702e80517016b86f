import type { AnyFlow, AnyTask } from '../longshore.ts';
import { loadNeighbour } from '../neighbours.ts';
import { type Graph, graphOf } from './graph.ts';

/**
 * The shapes of flows that are measured: the definitions of examples/flows, which also run as a test on every store. Their
 * tasks do next to nothing, so what is measured is the way from one step to the next.
 */
export const SHAPE_NAMES = [
  'linear3',
  'linear4',
  'diamond',
  'dag7',
  'tree8',
  'conditional',
  'order',
  'batch',
] as const;
export type ShapeName = (typeof SHAPE_NAMES)[number];

/** Also measured with all runs started at once. */
export const BURST_NAMES = ['linear3', 'diamond'] as const satisfies readonly ShapeName[];

export interface Shape {
  readonly flow: AnyFlow;
  readonly tasks: readonly AnyTask[];
  readonly graph: Graph;
  /** Of the run with this number. */
  input(run: number): unknown;
  result(run: number): unknown;
  /** Jobs that run for a step of this run: 0 where its branch is not chosen. */
  jobs(run: number, step: number): number;
}

type Examples = Readonly<Record<ShapeName | 'fanOut', AnyFlow>> & { readonly tasks: readonly AnyTask[] };

const AMOUNTS = [999, 4_999, 5_000];
const CHOSEN = [['auto'], ['manager'], ['manager', 'finance']];

const RESULTS: Readonly<Record<ShapeName, (run: number) => unknown>> = {
  linear3: () => 's3(s2(s1))',
  linear4: () => 's4(s3(s2(s1)))',
  diamond: () => 'end(left(start) right(start))',
  dag7: () => 'finalize(validate(left(init) right(init)) transform(left(init)) analyze(right(init)))',
  tree8: () => 'join(a1(a(root)) a2(a(root)) b1(b(root)) b2(b(root)))',
  conditional: (run) => `done(${CHOSEN[run % 3]?.join(' ')})`,
  order: () => 'ship(pay(reserve(validate)))',
  batch: () => 1_000,
};

export async function shapeNamed(name: ShapeName): Promise<Shape> {
  const { [name]: flow, tasks } = await examples();
  const graph = graphOf(flow);
  const branches = new Set(CHOSEN.flat());
  return {
    flow,
    tasks,
    graph,
    input: (run) => (name === 'conditional' ? { amount: AMOUNTS[run % AMOUNTS.length] } : null),
    result: RESULTS[name],
    jobs(run, step) {
      const { name: stepName, jobs } = graph[step] as Graph[number];
      const isPassed =
        name === 'conditional' && branches.has(stepName) && !CHOSEN[run % 3]?.includes(stepName);
      return isPassed ? 0 : jobs;
    },
  };
}

/** A fan-out with a join; run `n` has `items[n]` items. */
export async function fanOutShape(items: readonly number[]): Promise<Shape> {
  const { fanOut: flow, tasks } = await examples();
  const of = (run: number): number => items[run] ?? 0;
  return {
    flow,
    tasks,
    graph: graphOf(flow),
    input: of,
    // The sum of the squares below n.
    result: (run) => ((of(run) - 1) * of(run) * (2 * of(run) - 1)) / 6,
    jobs: (run, step) => (step === 0 ? of(run) : 1),
  };
}

function examples(): Promise<Examples> {
  return loadNeighbour<Examples>(
    'examples/flows/shapes.ts',
    'Flows are measured from a clone of the repository.',
  );
}
