import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AnyFlow, connect, defineFlow, defineTask } from '../../src/index.ts';
import { onEachStore } from '../stage.ts';

/** Mistakes in a definition or a call: each a clear error with a code, at the place where it was made. */
// biome-ignore lint/suspicious/noExplicitAny: what these tasks take does not matter here.
const echo = defineTask<any, any>({ name: 'echo', run: ({ input }) => input });
const flow = defineFlow({ name: 'f', steps: (s) => s.waitFor('w') });

// biome-ignore lint/suspicious/noExplicitAny: mistakes are what no type allows.
type Loose = any;
const steps = (define: (s: Loose) => unknown): (() => AnyFlow) => {
  return () => defineFlow({ name: 'wrong', steps: define });
};
const circle: Record<string, unknown> = {};
circle.self = circle;

const DEFINITIONS: Readonly<Record<string, readonly [define: () => unknown, message: RegExp]>> = {
  'an option of a flow that nobody knows': [
    () => defineFlow({ name: 'f', step: 1, steps: (s: Loose) => s.step('a', echo) } as Loose),
    /did you mean "steps"/,
  ],
  'no options at all': [() => defineFlow(null as Loose), /defineFlow was given null/],
  'steps that are a promise': [steps(async () => undefined), /./],
  'an option that another kind of step takes': [
    steps((s) => s.step('a', echo, { over: [1] })),
    /step "a" has no option "over"/,
  ],
  'a wait with options in place of a schema': [
    steps((s) => s.waitFor('a', { timeoutMs: 5 })),
    /expected a Standard Schema v1, or null/,
  ],
  'a wait with a queue': [steps((s) => s.waitFor('a', null, { queue: 'q' })), /no option "queue"/],
  'a fan-out without options': [steps((s) => s.each('a', echo)), /step "a" was given undefined/],
  'a decision without options': [steps((s) => s.decide('a', echo)), /step "a" was given undefined/],
  'an input that is no function, of a fan-out': [
    steps((s) => s.each('a', echo, { over: [1], input: 5 })),
    /\{ run, item, index \}/,
  ],
  'an input that is no function, of a loop': [
    steps((s) => s.loop('a', echo, { input: 5 })),
    /\{ run, cursor \}/,
  ],
  'an input that is no function, of a sub-flow': [
    steps((s) => s.flow('a', flow, { input: 5 })),
    /its input is 5/,
  ],
  'an input that is no function, of an undo': [
    steps((s) => s.step('a', echo, { undo: { task: echo, input: 5 } })),
    /the input of its undo is 5/,
  ],
  'an option of an undo that nobody knows': [
    steps((s) => s.step('a', echo, { undo: { task: echo, inptu: 5 } })),
    /did you mean "input"/,
  ],
  'an input that holds itself': [steps((s) => s.step('a', echo, { input: () => circle })), /holds itself/],
  'an input that is no number': [steps((s) => s.step('a', echo, { input: () => Number.NaN })), /is NaN/],
  'a fan-out over a text': [steps((s) => s.each('a', echo, { over: 'abc' })), /over is "abc"/],
  'a fan-out over half a number': [steps((s) => s.each('a', echo, { over: 1.5 })), /over is 1.5/],
  'a fan-out over too many': [steps((s) => s.each('a', echo, { over: 1e9 })), /up to 10000000/],
  'a sleep for a text': [steps((s) => s.sleep('a', '1h')), /ms of step "a" is "1h"/],
  'two branches of a name': [steps((s) => s.decide('a', echo, { branches: ['x', 'x'] })), /two branches "x"/],
  'a branch that is none': [
    steps((s) => s.step('b', echo, { on: s.decide('a', echo, { branches: ['x'] }).y })),
    /a parent is a\.y/,
  ],
  'a parent that there is not': [
    steps((s) => s.step('a', echo, { after: ['b'] })),
    /step "a": its parent "b" is no step of flow "wrong"/i,
  ],
  'two steps of a name': [
    steps((s) => {
      s.step('a', echo);
      s.step('a', echo);
    }),
    /step "a": there are two steps of this name/i,
  ],
  'a branch that the decision does not name': [
    steps((s) => {
      s.decide('a', echo, { branches: ['x', 'z'] });
      s.step('b', echo, { after: ['a.y'] });
    }),
    /"a" has no branch "y"; it has "x", "z"/,
  ],
  'a branch of a step that is no decision': [
    steps((s) => {
      s.step('a', echo);
      s.step('b', echo, { after: ['a.y'] });
    }),
    /"a" has no branches: it is no decision/,
  ],
  'a circle of three': [
    steps((s) => {
      s.step('a', echo, { after: ['c'] });
      s.step('b', echo, { after: ['a'] });
      s.step('c', echo, { after: ['b'] });
    }),
    /a cycle: a → b → c → a/,
  ],
  'a step behind itself': [steps((s) => s.step('a', echo, { after: ['a'] })), /a cycle: a → a/],
  'a circle of steps': [
    steps((s) => {
      s.step('a', echo, { after: ['b'] });
      s.step('b', echo, { after: ['a'] });
    }),
    /a cycle: a → b → a/,
  ],
};

for (const [title, [define, message]] of Object.entries(DEFINITIONS))
  test(`a definition is refused: ${title}`, () => {
    assert.throws(define, (error: Loose) => {
      assert.match(error.code, /^(FLOW|OPTION)_INVALID$/);
      assert.match(error.message, message);
      return true;
    });
  });

test('calls with options that nobody knows, or of the wrong kind, are refused', async () => {
  const longshore = await connect('memory:');
  const flows = longshore.flows as Loose;
  const run = await longshore.flows.start(flow, null, { id: 'r' });
  const calls: readonly (() => Promise<unknown>)[] = [
    () => flows.start(flow, null, { ID: 'x' }),
    () => flows.start(flow, null, null),
    () => flows.startMany(flow, [null], { id: 'x' }),
    () => flows.list({ stat: 'running' }),
    () => flows.list({ state: 5 }),
    () => flows.list(null),
    () => flows.get(undefined),
    () => flows.signal('r', undefined),
    () => flows.cancel('r', { compensates: true }),
    () => flows.cancel('r', { compensate: 'yes' }),
    () => flows.cancel('r', { why: 5 }),
    () => flows.retry('r', 'w', { inptu: 5 }),
    () => flows.retry('r', undefined),
    () => flows.resolve('r', 'w', { note: 'x' }),
    () => flows.complete('r', 'w', 1, { reason: 'x' }),
    () => flows.skip('r', 'w', { whom: 'x' }),
    () => run.result({ timeout: 5 } as Loose),
    () => run.ended({ signal: 5 } as Loose),
  ];
  try {
    for (const call of calls) await assert.rejects(call, { code: 'OPTION_INVALID' }, String(call));
    assert.throws(() => flows.handle(undefined), { code: 'OPTION_INVALID' });
    assert.equal((await longshore.flows.get('r'))?.state, 'waiting');
  } finally {
    await longshore.close();
  }
});

onEachStore('a path or a list that is not there fails its step alone, with a code', async ({ connect }) => {
  const longshore = await connect();
  const late = defineFlow({
    name: 'late',
    steps: (s) => {
      const a = s.step('a', echo, { input: () => ({ text: 'abc', number: 2.5 }) });
      s.step('path', echo, { input: () => a.text.length.deeper, failure: 'continue' });
      s.each('text', echo, { over: a.text, failure: 'continue' });
      s.each('number', echo, { over: a.number, failure: 'continue' });
      return s.each('none', echo, { over: [], after: ['path', 'text', 'number'] });
    },
  });
  const run = await longshore.flows.start(late, null);
  await longshore.worker({ tasks: [echo] }).runUntilIdle();
  assert.deepEqual(await run.result(), []);
  const { steps: views = [] } = (await longshore.flows.get(run.id)) ?? {};
  assert.deepEqual(
    views.map(({ name, state, error }) => [name, state, error?.code]),
    [
      ['a', 'completed', undefined],
      ['path', 'failed', 'FLOW_PATH_MISSING'],
      ['text', 'failed', 'FLOW_NO_LIST'],
      ['number', 'failed', 'FLOW_NO_LIST'],
      ['none', 'completed', undefined],
    ],
  );
});
