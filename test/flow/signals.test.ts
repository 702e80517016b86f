/** Signals by a handle that knows the flow: checked by the flow's schema where they are sent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { defineFlow, defineTask } from '../../src/index.ts';
import { onEachStore } from '../stage.ts';

const Approval = z.object({ by: z.string().trim() });
const order = defineFlow({
  name: 'order',
  signals: { approval: Approval, go: null },
  steps: (s) => {
    const approved = s.waitFor('approval');
    return { approved, went: s.waitFor('then', null, { signal: 'go', after: [approved] }) };
  },
});
const undeclared = defineFlow({ name: 'undeclared', steps: (s) => s.waitFor('approval', Approval) });
const idle = defineTask({ name: 'idle', run: () => null });

onEachStore('what a run is sent is checked by its flow, also where nobody has started it', async (stage) => {
  const here = await stage.connect();
  // On a store in memory alone both are one.
  const there = stage.kind === 'memory' ? here : await stage.connect();
  const run = await here.flows.start(order, null);
  for (const handle of [run, there.flows.handle(order, run.id)]) {
    await assert.rejects(handle.signal('approval', { by: 5 } as never), {
      code: 'INPUT_INVALID',
      message: /^The payload of signal "approval" does not match its schema: by: .*got 5/,
    });
    await assert.rejects(handle.signal('aproval' as never, null as never), {
      code: 'OPTION_INVALID',
      message: /expected "approval" or "go"/,
    });
  }
  await there.flows.handle(order, run.id).signal('approval', { by: ' ada ' });
  await run.signal('go');
  await here.worker({ tasks: [idle] }).runUntilIdle();
  assert.deepEqual(await run.result(), { approved: { by: 'ada' }, went: null });
  await assert.rejects(run.signal('go'), { code: 'RUN_STATE_REFUSED' });
});

onEachStore('a handle of a flow is for its runs', async ({ connect }) => {
  const longshore = await connect();
  const run = await longshore.flows.start(undeclared, null, { id: 'r' });
  await assert.rejects(longshore.flows.handle(order, run.id).signal('approval', { by: 'ada' }), {
    code: 'OPTION_INVALID',
    message: /id is "r"; expected a run of flow "order"; this one is of flow "undeclared"/,
  });
  await assert.rejects(longshore.flows.handle(order, 'nobody').signal('go'), { code: 'RUN_UNKNOWN' });
  assert.throws(() => longshore.flows.handle({} as never, 'r'), { code: 'FLOW_INVALID' });
  // A schema of the step alone checks, too; there is no type for it.
  await assert.rejects(run.signal('approval', { by: 5 }), { code: 'INPUT_INVALID' });
  await run.signal('approval', { by: 'ada' });
  await longshore.worker({ tasks: [idle] }).runUntilIdle();
  assert.deepEqual(await run.result(), { by: 'ada' });
});

test('signals that are declared wrongly are refused while the flow is defined', () => {
  // biome-ignore lint/suspicious/noExplicitAny: mistakes are what no type allows.
  type Loose = any;
  const define = (signals: Loose, steps: (s: Loose) => unknown) => () =>
    defineFlow({ name: 'f', signals, steps });
  const refused = (definition: () => unknown, message: RegExp): void =>
    assert.throws(definition, (error: Loose) => {
      assert.match(error.code, /^(FLOW|OPTION)_INVALID$/);
      assert.match(error.message, message);
      return true;
    });
  const waits = (s: Loose): unknown => s.waitFor('a');
  refused(
    define({ b: null }, waits),
    /waits for signal "a", which the flow does not declare; its signals are "b"/,
  );
  refused(define({}, waits), /its signals are none/);
  refused(define({ a: null, b: null }, waits), /declares signal "b", and no step waits for it/);
  refused(define({ a: 5 }, waits), /signals\.a is 5; expected a Standard Schema v1, or null/);
  refused(define(['a'], waits), /signals is an array of 1; expected an object of schemas/);
  refused(
    define({ a: Approval }, (s) => s.waitFor('a', z.number())),
    /leave out that of the step/,
  );
});
