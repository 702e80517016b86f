/** The worker on the simulator, over HTTP. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defineTask } from '../../src/index.ts';
import { begin, completions, simulatorFor, started } from './stage.ts';

describe('a worker of Camunda 8', { timeout: 60_000 }, () => {
  test('runs jobs as tasks: variables in, variables out', async (t) => {
    const simulator = await simulatorFor(t);
    const charge = defineTask<{ amount: number }, { charged: number }>({
      name: 'charge',
      run: ({ input }) => ({ charged: input.amount * 2 }),
    });
    const worker = await started(t, simulator, { 'charge-card': charge });
    const [key = ''] = begin(simulator, [{ type: 'charge-card' }], [{ amount: 21 }]);
    await completions(simulator, 1);
    const { state, variables } = simulator.engine.instances.get(key) ?? {};
    assert.deepEqual([state, variables], ['COMPLETED', { amount: 21, charged: 42 }]);
    await worker.stop();
    const { activated, completed } = worker.counts;
    assert.deepEqual([activated, completed], [1, 1]);
  });
});
