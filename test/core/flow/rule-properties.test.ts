import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FailurePolicy, FlowData } from '../../../src/core/flow/data.ts';
import { defineTask } from '../../../src/core/task.ts';
import { defineFlow } from '../../../src/flow/define.ts';
import { Simulation } from './simulation.ts';

// biome-ignore lint/suspicious/noExplicitAny: what these tasks take does not matter here.
const work = defineTask({ name: 'work', run: (): any => null });

interface Node {
  readonly kind: 'task' | 'each' | 'decide' | 'loop' | 'wait' | 'sleep' | 'flow';
  readonly parents: readonly number[];
  readonly failure: FailurePolicy;
  readonly undo: boolean;
  readonly fails: boolean;
  readonly chooses: boolean;
}

const node = fc.record({
  kind: fc.constantFrom('task', 'task', 'each', 'decide', 'loop', 'wait', 'sleep', 'flow'),
  parents: fc.array(fc.nat(9), { maxLength: 3 }),
  failure: fc.constantFrom<FailurePolicy>('fail', 'compensate', 'continue'),
  undo: fc.boolean(),
  fails: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  chooses: fc.boolean(),
});
const graph = fc.array(node, { minLength: 1, maxLength: 10 }) as fc.Arbitrary<Node[]>;

const child = defineFlow({ name: 'child', steps: (s) => s.step('only', work) });

function flowOf(nodes: readonly Node[]): FlowData {
  return defineFlow({
    name: 'random',
    steps: (s) => {
      for (const [index, { kind, parents, failure, undo }] of nodes.entries()) {
        const after = [...new Set(parents.filter((parent) => parent < index))].map((parent) =>
          nodes[parent]?.kind === 'decide' ? `n${parent}.yes` : `n${parent}`,
        );
        const options = {
          after,
          failure,
          input: () => index,
          ...(undo && { undo: { task: work, input: () => 1 } }),
        };
        const name = `n${index}`;
        if (kind === 'task') s.step(name, work, options);
        else if (kind === 'each') s.each(name, work, { ...options, over: index, failure });
        else if (kind === 'decide') s.decide(name, work, { ...options, branches: ['yes'] });
        else if (kind === 'loop') s.loop(name, work, options);
        else if (kind === 'sleep') s.sleep(name, 100, { after, failure });
        else if (kind === 'flow') s.flow(name, child, { after, failure, input: () => index });
        else s.waitFor(name, null, { after, failure });
      }
    },
  }).data;
}

/** Plays a run to its end: reports come in batches of any size and order, and twice, and planners die at any point. */
function play(nodes: readonly Node[], flow: FlowData, choose: (below: number) => number): Simulation {
  const run = new Simulation(flow);
  for (let turn = 0; run.run.endedAt === null; turn += 1) {
    assert.ok(turn < 500, `the run ends: ${JSON.stringify(run.run)}`);
    const open = [...run.running, ...run.openChildren];
    const size = 1 + choose(Math.max(open.length, 1));
    const reports = open
      .map((as) => ({ as, at: choose(1_000) }))
      .sort((one, other) => one.at - other.at)
      .slice(0, size)
      .map(({ as }) => {
        const [kind, step = '', , index] = as.split(':');
        const of = nodes[Number(step.slice(1))] as Node;
        const fails = kind !== 'u' && of.fails && (index === undefined || index === '0');
        if (of.kind === 'decide' && kind === 's')
          return run.report(as, fails ? 'failed' : 'completed', of.chooses ? 'yes' : null);
        if (of.kind === 'loop' && kind === 'i')
          return run.report(as, fails ? 'failed' : 'completed', { cursor: index === '2' ? null : 1 });
        return run.report(as, fails ? 'failed' : 'completed', 1);
      });
    for (const [index, state] of Object.entries(run.run.steps))
      if (state.is === 'waiting' && choose(2) === 0) reports.push(run.report(`signal:${index}`, 'told', 1));
    const twice = reports.filter(() => choose(3) === 0);
    for (let deaths = choose(3); deaths > 0; deaths -= 1)
      run.die(reports.filter((_, index) => index % deaths === 0));
    run.now += 1 + choose(200);
    run.decide([...twice, ...reports]);
  }
  return run;
}

/** What a run comes to, whatever the order: how each step ended, and which jobs were ordered. */
function outcome(run: Simulation): object {
  const steps = Object.fromEntries(Object.entries(run.run.steps).map(([name, { is }]) => [name, is]));
  return { state: run.state, steps, jobs: [...run.ordered.keys()].sort() };
}

test('every run ends, no job is ordered twice, and nothing runs when it has ended', () => {
  fc.assert(
    fc.property(graph, fc.infiniteStream(fc.nat(1_000_000)), (nodes, stream) => {
      const choose = (below: number): number => (stream.next().value as number) % below;
      const run = play(nodes, flowOf(nodes), choose);
      assert.deepEqual(run.running, []);
      assert.ok(['completed', 'failed'].includes(run.state));
    }),
    { seed: 7, numRuns: 400 },
  );
});

test('without a failure that ends it, any order and batching of reports orders the same jobs', () => {
  fc.assert(
    fc.property(graph, fc.infiniteStream(fc.nat(1_000_000)), (given, stream) => {
      const nodes = given.map((one) => ({ ...one, failure: 'continue' as const }));
      const flow = flowOf(nodes);
      const choose = (below: number): number => (stream.next().value as number) % below;
      const first = outcome(play(nodes, flow, () => 0));
      for (let again = 0; again < 3; again += 1) assert.deepEqual(outcome(play(nodes, flow, choose)), first);
    }),
    { seed: 11, numRuns: 200 },
  );
});

test('a run that failed has undone each completed step with an undo once, or none of them', () => {
  fc.assert(
    fc.property(graph, fc.infiniteStream(fc.nat(1_000_000)), (nodes, stream) => {
      const choose = (below: number): number => (stream.next().value as number) % below;
      const run = play(nodes, flowOf(nodes), choose);
      const undoable = run.flow.steps.flatMap(({ name, undo }) =>
        undo !== undefined && run.step(name)?.is === 'completed' ? [`u:${name}:0`] : [],
      );
      const undone = [...run.ordered.keys()].filter((as) => as.startsWith('u:')).sort();
      assert.deepEqual(undone, run.run.compensates ? undoable.sort() : []);
    }),
    { seed: 13, numRuns: 300 },
  );
});
