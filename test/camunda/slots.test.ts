/** A worker never takes more than can start. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defineTask } from '../../src/index.ts';
import { begin, completions, simulatorFor, started } from './stage.ts';

describe('the slots of a worker', { timeout: 60_000 }, () => {
  for (const types of [['a'], ['a', 'b'], ['a', 'b', 'c', 'd', 'e']])
    test(`are never fewer than the jobs it has and asks for (${types.length} job types)`, async (t) => {
      const simulator = await simulatorFor(t);
      const limit = 3;
      let asked = 0;
      let most = 0;
      const worker = await started(
        t,
        simulator,
        Object.fromEntries(types.map((type) => [type, defineTask({ name: type, run: () => turns(3) })])),
        { concurrency: limit, pollMs: 100 },
      );
      // What is held and what may come, as the cluster sees it at each poll.
      simulator.trouble = ({ path, body }) => {
        if (path !== '/v2/jobs/activation') return null;
        asked = (body as { maxJobsToActivate: number }).maxJobsToActivate;
        const held = worker.runner.running + worker.runner.waiting;
        most = Math.max(most, held + asked);
        return null;
      };
      for (const type of types) begin(simulator, [{ type }], Array(40 / types.length).fill({}));
      await completions(simulator, 40);
      assert.ok(most > 0 && most <= limit, `${most} of ${limit}`);
      await worker.stop();
      assert.deepEqual([worker.counts.completed, simulator.engine.counts.redeliveries], [40, 0]);
    });

  test('are no longer held by a type that has no jobs while another has many', async (t) => {
    const simulator = await simulatorFor(t);
    const busy = defineTask({ name: 'busy', run: () => turns(2) });
    const idle = defineTask({ name: 'idle', run: () => null });
    const worker = await started(t, simulator, { busy, idle }, { concurrency: 8, pollMs: 30_000 });
    begin(simulator, [{ type: 'busy' }], Array(60).fill({}));
    await completions(simulator, 60);
    const asked = simulator.calls
      .filter(({ body }) => (body as { type?: string } | null)?.type === 'busy')
      .map(({ body }) => (body as { maxJobsToActivate: number }).maxJobsToActivate);
    assert.equal(Math.max(...asked), 7);
    const stopped = worker.stop();
    begin(simulator, [{ type: 'idle' }, { type: 'idle' }]);
    begin(simulator, [{ type: 'busy' }]);
    await stopped;
  });
});

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
