import assert from 'node:assert/strict';
import { defineFlow, defineTask, type Longshore, optional } from '../../src/index.ts';
import { onEachStore } from '../stage.ts';

/** Names, references and times that are unusual, and yet are to work. */
// biome-ignore lint/suspicious/noExplicitAny: what these tasks take does not matter here.
const echo = defineTask<any, any>({ name: 'echo', run: ({ input }) => input });
const idle = (longshore: Longshore): Promise<unknown> => longshore.worker({ tasks: [echo] }).runUntilIdle();

const PROTOTYPE_NAMES = ['constructor', '__proto__', 'toString', 'valueOf', 'hasOwnProperty'];

onEachStore('steps, signals and branches may have names that every object has', async ({ connect }) => {
  const longshore = await connect();
  const flow = defineFlow({
    name: 'f',
    steps: (s) => {
      const route = s.decide('route', echo, {
        branches: ['name', 'length', 'caller'],
        input: () => 'length',
      });
      const chosen = s.step('chosen', echo, { on: route.length, input: () => 1 });
      const waits = PROTOTYPE_NAMES.map((signal, index) => s.waitFor(`w${index}`, null, { signal }));
      const steps = PROTOTYPE_NAMES.map((name) => s.step(name, echo, { input: () => name }));
      const below = s.step('below', echo, { input: () => ({ constructor: 7, name: 8 }) });
      return { chosen, waits, steps, below: [below.constructor, below.name] };
    },
  });
  const run = await longshore.flows.start(flow, null);
  for (const name of PROTOTYPE_NAMES) await longshore.flows.signal(run.id, name, name);
  await idle(longshore);
  const expected = { chosen: 1, waits: PROTOTYPE_NAMES, steps: PROTOTYPE_NAMES, below: [7, 8] };
  assert.deepEqual(await run.result(), expected);
  const detail = await longshore.flows.get(run.id);
  assert.ok(detail?.steps.every(({ state }) => state === 'completed'));
});

onEachStore('the fallback of an optional reference may be a reference itself', async ({ connect }) => {
  const longshore = await connect();
  const flow = defineFlow({
    name: 'f',
    steps: (s) => {
      const a = s.step('a', echo, { input: () => ({ here: 1 }) });
      const b = s.step('b', echo, { input: () => ({ second: 2 }) });
      return s.step('c', echo, {
        input: () => ({
          here: optional(a.here, b.second),
          other: optional(a.away, b.second),
          none: optional(a.away, optional(b.away, 'none')),
          data: optional(a.away, { $ref: ['run'] }),
        }),
      });
    },
  });
  const run = await longshore.flows.start(flow, null);
  await idle(longshore);
  assert.deepEqual(await run.result(), { here: 1, other: 2, none: 'none', data: { $ref: ['run'] } });
});

onEachStore('names as long as allowed, in any language, three flows deep', async ({ connect }) => {
  const longshore = await connect();
  const [x, y, w] = ['x', 'y', 'w'].map((letter) => letter.repeat(100)) as [string, string, string];
  const deepest = defineFlow({ name: 'ü'.repeat(200), steps: (s) => s.waitFor(w) });
  const inner = defineFlow({ name: '船'.repeat(200), steps: (s) => s.flow(y, deepest) });
  const outer = defineFlow({ name: '🚢'.repeat(100), steps: (s) => s.flow(x, inner) });
  const started = [
    await longshore.flows.start(outer, 1, { id: 'i'.repeat(200) }),
    await longshore.flows.start(outer, 1, { identity: 'strict' }),
  ];
  await idle(longshore);
  for (const run of started) {
    const child = (await longshore.flows.get(run.id))?.steps[0]?.run ?? '';
    const grandchild = (await longshore.flows.get(child))?.steps[0]?.run ?? '';
    assert.equal((await longshore.flows.get(grandchild))?.parent, child);
    await longshore.flows.signal(grandchild, w, 'done');
  }
  await idle(longshore);
  for (const run of started) assert.equal(await run.result(), 'done');
});

onEachStore('times with fractions of a millisecond are no trouble to a store', async ({ connect }) => {
  const longshore = await connect();
  const flow = defineFlow({
    name: 'f',
    keptMs: 100_000.5,
    steps: (s) => {
      const slept = s.sleep('slept', 0.5);
      const short = s.step('short', echo, { input: () => 0.25, after: [slept] });
      const again = s.sleep('again', short);
      return s.waitFor('never', null, { timeoutMs: 0.5, onTimeout: 'continue', after: [again] });
    },
  });
  await longshore.worker({ tasks: [echo] }).start();
  const run = await longshore.flows.start(flow, null);
  assert.equal((await run.ended()).state, 'completed');
});

onEachStore('a sleep for a value that is no time is the failure of that step', async ({ connect }) => {
  const longshore = await connect();
  const flow = defineFlow({ name: 'f', steps: (s) => s.sleep('slept', s.step('long', echo)) });
  const runs = await longshore.flows.startMany(flow, [-1, 'x', null, 1e300, 9e15]);
  await idle(longshore);
  for (const run of runs) {
    assert.equal((await run.ended()).state, 'failed');
    const [, step] = (await longshore.flows.get(run.id))?.steps ?? [];
    assert.equal(step?.error?.code, 'FLOW_NO_TIME');
  }
});
