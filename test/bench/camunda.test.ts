import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { simulatorFor } from '../camunda/stage.ts';
import { bench, measured } from './bench-process.ts';

describe('bench camunda', { timeout: 180_000 }, () => {
  test('runs a mode as process instances of a cluster, and counts what it refused', async (t) => {
    const simulator = await simulatorFor(t);
    let isFirst = true;
    // The cluster takes the first completion, and the worker does not hear of it.
    simulator.trouble = ({ path }) => {
      if (!path.endsWith('/completion') || !isFirst) return null;
      isFirst = false;
      return 'act and hang up';
    };
    const args = ['quick', '--url', simulator.url, '--strategy', 'async', '--work-seconds', '0.01'];
    const { document } = await measured('camunda', ...args);
    const [result] = document.results;
    assert.deepEqual([result.status, result.completed, result.concurrency], ['completed', 5, 5]);
    const { redeliveries, staleAcknowledgements, lockLosses } = document.counts;
    assert.deepEqual([redeliveries, staleAcknowledgements, lockLosses], [0, 1, 0]);
    assert.equal(simulator.engine.counts.completions, 5);
  });

  test('says how to get a cluster where none is given', async () => {
    delete process.env.CAMUNDA_REST_ADDRESS;
    const { code, stdout, stderr } = await bench('camunda', 'quick');
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /No cluster is given. Use --url .*CAMUNDA_REST_ADDRESS.*Camunda 8 Run/);
  });
});
