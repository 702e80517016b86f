import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, defineFlow, defineTask } from '../../src/index.ts';

test('a chain', async () => {
  const longshore = await connect('memory:');
  const add = defineTask({ name: 'add', run: ({ input }) => (input as number) + 1 });
  const flow = defineFlow({
    name: 'linear',
    steps: (s) => {
      const a = s.step('a', add);
      const b = s.step('b', add, { after: [a] });
      return s.step('c', add, { after: [b] });
    },
  });
  longshore.on('step.moved', (e) => console.log(e));
  longshore.on('plan.stuck', (e) => console.log(e));
  longshore.on('store.failed', (e) => console.log(e));
  const worker = longshore.worker({ tasks: [add] });
  await worker.start();
  const run = await longshore.flows.start(flow, 1);
  assert.equal(await run.result({ timeoutMs: 5000 }), 4);
  console.log(await longshore.flows.get(run.id));
  await longshore.close();
});
test('idle', async () => {
  const longshore = await connect('memory:');
  const list = defineTask({ name: 'list', run: () => Array.from({ length: 10000 }, (_, i) => i) });
  const add = defineTask({ name: 'add', run: ({ input }) => (input as number) + 1 });
  const sum = defineTask({ name: 'sum', run: ({ input }) => (input as number[]).reduce((a, b) => a + b, 0) });
  const flow = defineFlow({
    name: 'fan',
    steps: (s) => {
      const a = s.step('a', list);
      const b = s.each('b', add, { over: a as never });
      return s.step('c', sum, { after: [b] });
    },
  });
  longshore.on('plan.stuck', (e) => console.log(e));
  longshore.on('store.failed', (e) => console.log(e));
  const worker = longshore.worker({ tasks: [add, list, sum] });
  const run = await longshore.flows.start(flow, 1);
  console.time('fan');
  console.log(await worker.runUntilIdle());
  console.timeEnd('fan');
  assert.equal(await run.result({ timeoutMs: 5000 }), 50005000);
  await longshore.close();
});
