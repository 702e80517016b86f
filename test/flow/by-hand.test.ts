import assert from 'node:assert/strict';
import { z } from 'zod';
import { defineFlow, defineTask, type Longshore, UnrecoverableError } from '../../src/index.ts';
import { onEachStore } from '../stage.ts';

/** What people do to runs, and what a run owes them afterwards. */
// biome-ignore lint/suspicious/noExplicitAny: what these tasks take does not matter here.
const echo = defineTask<any, any>({ name: 'echo', run: ({ input }) => input });

/** Fails until it is mended; an undo that notes what it was given. */
function trouble() {
  const state = { mended: false, undone: [] as unknown[] };
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  const fragile = defineTask<any, any>({
    name: 'fragile',
    run: ({ input }) => {
      if (!state.mended) throw new UnrecoverableError('not yet');
      return input;
    },
  });
  const undo = defineTask<unknown, void>({ name: 'undo', run: ({ input }) => void state.undone.push(input) });
  const idle = (longshore: Longshore) => longshore.worker({ tasks: [echo, fragile, undo] }).runUntilIdle();
  return { state, fragile, undo, idle };
}

onEachStore('a fan-out that is completed by hand has that result, however large', async ({ connect }) => {
  const longshore = await connect();
  const { fragile, idle } = trouble();
  const flow = defineFlow({
    name: 'f',
    steps: (s) => {
      const items = s.each('items', fragile, { over: [1, 2], failure: 'block' });
      return s.step('after', echo, { input: () => ({ items }) });
    },
  });
  const [small, large] = await longshore.flows.startMany(flow, [null, null]);
  await idle(longshore);
  const results = [['a', 'b'], ['x'.repeat(1_000)]];
  for (const [index, run] of [small, large].entries())
    await longshore.flows.complete(run?.id ?? '', 'items', results[index]);
  await idle(longshore);
  for (const [index, run] of [small, large].entries()) {
    assert.deepEqual(await run?.result(), { items: results[index] });
    const detail = await longshore.flows.get(run?.id ?? '');
    assert.deepEqual(detail?.steps[0]?.result, results[index]);
  }
});

onEachStore('a run that fails again after a retry undoes again what it did again', async ({ connect }) => {
  const longshore = await connect();
  const { state, fragile, undo, idle } = trouble();
  const flow = defineFlow({
    name: 'f',
    steps: (s) => s.step('b', fragile, { after: [s.step('a', echo, { undo })] }),
  });
  const run = await longshore.flows.start(flow, 7);
  await idle(longshore);
  for (const times of [2, 3]) {
    await longshore.flows.retry(run.id, 'b');
    await idle(longshore);
    assert.equal((await run.ended()).state, 'failed');
    assert.deepEqual(state.undone, Array(times).fill(7));
  }
  state.mended = true;
  await longshore.flows.retry(run.id, 'b');
  await idle(longshore);
  assert.equal(await run.result(), 7);
});

onEachStore('of several failed steps, each may be dealt with in its turn', async ({ connect }) => {
  const longshore = await connect();
  const { state, fragile, idle } = trouble();
  const flow = defineFlow({
    name: 'f',
    steps: (s) => ({
      a: s.step('a', fragile, { failure: 'block' }),
      b: s.step('b', fragile, { failure: 'block' }),
    }),
  });
  const run = await longshore.flows.start(flow, 1);
  await idle(longshore);
  await longshore.flows.cancel(run.id);
  assert.equal((await run.ended()).state, 'cancelled');
  state.mended = true;
  await longshore.flows.retry(run.id, 'a');
  await idle(longshore);
  const halfway = await longshore.flows.get(run.id);
  assert.deepEqual(
    [halfway?.state, halfway?.steps.map((step) => [step.state, step.blocked])],
    [
      'blocked',
      [
        ['completed', false],
        ['failed', true],
      ],
    ],
  );
  await longshore.flows.retry(run.id, 'b');
  await idle(longshore);
  assert.deepEqual(await run.result(), { a: 1, b: 1 });
});

onEachStore('a child run that is stopped undoes what it did where its parent does', async ({ connect }) => {
  const longshore = await connect();
  const { state, undo, idle } = trouble();
  const inner = defineFlow({
    name: 'inner',
    steps: (s) => s.waitFor('never', null, { after: [s.step('done', echo, { undo })] }),
  });
  const quick = defineFlow({ name: 'quick', steps: (s) => s.step('a', echo) });
  const outer = defineFlow({
    name: 'outer',
    steps: (s) => {
      s.flow('child', inner, { input: () => 'of the child' });
      s.flow('ended', quick, { input: () => 'of the ended child', undo });
    },
  });
  const [plain, compensated] = await longshore.flows.startMany(outer, [null, null]);
  await idle(longshore);
  await longshore.flows.cancel(plain?.id ?? '');
  await idle(longshore);
  assert.deepEqual(state.undone, []);
  await longshore.flows.cancel(compensated?.id ?? '', { compensate: true });
  await idle(longshore);
  assert.equal((await compensated?.ended())?.state, 'cancelled');
  assert.deepEqual(state.undone.sort(), ['of the child', 'of the ended child']);
});

onEachStore('a run whose result cannot be made undoes what it did', async ({ connect }) => {
  const longshore = await connect();
  const { state, undo, idle } = trouble();
  const flow = defineFlow({ name: 'f', steps: (s) => ({ gone: s.step('a', echo, { undo }).gone }) });
  const run = await longshore.flows.start(flow, 'input');
  await idle(longshore);
  assert.match((await run.ended()).reason ?? '', /the run's result cannot be made/);
  assert.deepEqual(state.undone, ['input']);
});

onEachStore('a child run that is cancelled by itself is the failure of its step', async ({ connect }) => {
  const longshore = await connect();
  const { idle } = trouble();
  const inner = defineFlow({ name: 'inner', steps: (s) => s.waitFor('never') });
  const outer = defineFlow({
    name: 'outer',
    steps: (s) => {
      const child = s.flow('child', inner, { failure: 'continue' });
      return s.step('after', echo, { input: () => ({ child }) });
    },
  });
  const run = await longshore.flows.start(outer, null);
  await idle(longshore);
  await longshore.flows.cancel(`${run.id}>child`);
  await idle(longshore);
  assert.deepEqual(await run.result(), { child: null });
  const detail = await longshore.flows.get(run.id);
  assert.deepEqual([detail?.steps[0]?.state, detail?.steps[0]?.error?.code], ['failed', 'RUN_CANCELLED']);
});

onEachStore('the payload of a signal is checked where the code of the flow is known', async ({ connect }) => {
  const longshore = await connect();
  const { idle } = trouble();
  const flow = defineFlow({
    name: 'f',
    steps: (s) => s.waitFor('go', z.object({ by: z.string().trim() })),
  });
  const run = await longshore.flows.start(flow, null);
  await assert.rejects(longshore.flows.signal(run.id, 'go', { by: 5 }), {
    code: 'INPUT_INVALID',
    message: /^The payload of signal "go" does not match its schema: by: .*got 5/,
  });
  await longshore.flows.signal(run.id, 'go', { by: ' ada ' });
  await idle(longshore);
  assert.deepEqual(await run.result(), { by: 'ada' });
});

onEachStore('of more than 100 signals of a name, the latest 100 are kept', async ({ connect }) => {
  const longshore = await connect();
  const { idle } = trouble();
  const flow = defineFlow({
    name: 'f',
    steps: (s) => {
      const gate = s.waitFor('gate');
      const first = s.waitFor('first', null, { signal: 'tell', after: [gate] });
      return { first, second: s.waitFor('second', null, { signal: 'tell', after: [first] }) };
    },
  });
  const run = await longshore.flows.start(flow, null);
  for (let index = 0; index < 130; index += 1) await longshore.flows.signal(run.id, 'tell', index);
  await longshore.flows.signal(run.id, 'gate');
  await idle(longshore);
  assert.deepEqual(await run.result(), { first: 30, second: 31 });
});
