import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LongshoreError } from '../../../src/core/errors.ts';
import { FAILURE_POLICIES, type FailurePolicy } from '../../../src/core/flow/data.ts';
import { defineTask } from '../../../src/core/task.ts';
import { defineFlow } from '../../../src/flow/define.ts';
import { Simulation } from './simulation.ts';

// biome-ignore lint/suspicious/noExplicitAny: what these tasks take does not matter here.
const work = defineTask({ name: 'work', run: (): any => null });

interface Node {
  readonly kind: 'task' | 'each' | 'decide' | 'loop' | 'wait' | 'flow';
  readonly parents: readonly number[];
  readonly failure: FailurePolicy;
  readonly undo: boolean;
}

const node = fc.record<Node>({
  kind: fc.constantFrom('task', 'task', 'each', 'decide', 'loop', 'wait', 'flow'),
  parents: fc.array(fc.nat(6), { maxLength: 2 }),
  failure: fc.constantFrom(...FAILURE_POLICIES),
  undo: fc.boolean(),
});
const inner = defineFlow({ name: 'inner', steps: (s) => s.step('work', work) });

function flowOf(nodes: readonly Node[]) {
  return defineFlow({
    name: 'random',
    steps: (s) => {
      for (const [index, { kind, parents, failure, undo }] of nodes.entries()) {
        const after = [...new Set(parents.filter((parent) => parent < index))].map((parent) =>
          nodes[parent]?.kind === 'decide' ? `n${parent}.yes` : `n${parent}`,
        );
        const where = { after, failure };
        const options = {
          ...where,
          input: () => index,
          ...(undo && { undo: { task: work, input: () => 1 } }),
        };
        const name = `n${index}`;
        if (kind === 'task') s.step(name, work, options);
        else if (kind === 'each') s.each(name, work, { ...options, over: index });
        else if (kind === 'decide') s.decide(name, work, { ...options, branches: ['yes'] });
        else if (kind === 'loop') s.loop(name, work, options);
        else if (kind === 'flow') s.flow(name, inner, { ...where, input: () => 1 });
        else s.waitFor(name, null, { ...where, timeoutMs: 50 });
      }
    },
  }).data;
}

const ACTIONS = ['retry', 'retry', 'complete', 'skip', 'resolve', 'cancel'] as const;
const REFUSALS = ['RUN_STATE_REFUSED', 'OPTION_INVALID'];

/** Steps that only a person gets on. */
function stuck(run: Simulation): string[] {
  return Object.entries(run.run.steps).flatMap(([name, { blocked, undo }]) =>
    blocked === true || undo?.is === 'failed' ? [name] : [],
  );
}

function act(run: Simulation, type: (typeof ACTIONS)[number], step: string): void {
  const result = type === 'complete' ? { result: null } : {};
  try {
    run.act({ type, compensate: true, ...(type === 'cancel' ? {} : { step }), ...result });
  } catch (error) {
    if (!(error instanceof LongshoreError && REFUSALS.includes(error.code))) throw error;
  }
}

/** Everything that is open ends, some of it badly; a time passes; signals come. */
function goOn(run: Simulation, nodes: readonly Node[], choose: (below: number) => number): void {
  const ends = [...run.running, ...run.openRuns];
  const some = ends.filter(() => choose(2) === 0);
  const reports = (some.length === 0 ? ends : some).map((as) => {
    const [kind, step = '', , index] = as.split(':');
    const { kind: of } = nodes[Number(step.slice(1))] as Node;
    const result = of === 'loop' && kind === 'i' ? { cursor: index === '2' ? null : 1 } : null;
    const decision = of === 'decide' && kind === 's' && choose(2) === 0 ? 'yes' : null;
    return run.report(as, choose(5) === 0 ? 'failed' : 'completed', result ?? decision);
  });
  for (const [name, { is }] of Object.entries(run.run.steps))
    if (is === 'waiting' && choose(2) === 0) reports.push(run.report(`signal:${name}`, 'told', 1));
  run.now += 20;
  run.decide(reports);
}

test('whatever is done by hand, a run goes on or says which step waits for a person, and no job is ordered twice', () => {
  fc.assert(
    fc.property(
      fc.array(node, { minLength: 1, maxLength: 6 }),
      fc.infiniteStream(fc.nat(1_000_000)),
      (nodes, stream) => {
        const choose = (below: number): number => (stream.next().value as number) % below;
        const run = new Simulation(flowOf(nodes));
        for (let actions = 0; actions < 12; actions += 1) {
          for (let turn = choose(4); turn > 0; turn -= 1) goOn(run, nodes, choose);
          act(run, ACTIONS[choose(ACTIONS.length)] as 'retry', `n${choose(nodes.length)}`);
        }
        // Nobody acts any more, except where a person must.
        for (let turn = 0; run.run.endedAt === null; turn += 1) {
          assert.ok(turn < 300, `the run ends: ${JSON.stringify(run.run)}`);
          const [first] = stuck(run);
          if (first !== undefined && run.running.length + run.openRuns.length === 0) act(run, 'skip', first);
          else goOn(run, nodes, choose);
        }
        for (const state of Object.values(run.run.steps))
          assert.ok(state.is !== 'running' && state.is !== 'waiting');
      },
    ),
    { seed: 17, numRuns: 400 },
  );
});
