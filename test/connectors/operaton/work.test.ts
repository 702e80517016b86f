import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BpmnError, type OperatonOptions, operatonWorker } from '../../../src/connectors/operaton/index.ts';
import type { OperatonWorker } from '../../../src/connectors/operaton/worker.ts';
import { defineTask, SnoozeError, UnrecoverableError } from '../../../src/index.ts';
import { engineFor } from './server.ts';
import { until } from './until.ts';

describe('external tasks of Operaton', { timeout: 300_000 }, () => {
  test('a task runs with its variables, and what it returns become variables of the process', async (t) => {
    const engine = await engineFor(t);
    if (engine === undefined) return;
    const process = await engine.deploy(t);
    const seen: unknown[] = [];
    const task = defineTask<{ amount: number }, object>({
      name: 'charge',
      run: ({ input, attempt, attemptsMax, correlationId, queue }) => {
        seen.push({ input, attempt, attemptsMax, correlationId, queue });
        return { charged: input.amount * 2, receipt: { lines: [1, 2] }, note: 'ok', rate: 0.5, nothing: null };
      },
    });
    const worker = started(t, { url: engine.url, topics: { [process.topic]: task } });
    await worker.start();
    const instance = await process.start(
      { amount: { value: 21 }, order: { type: 'Json', value: '{"id":7}' } },
      'order 7',
    );
    await until(async () => (await process.ended('end')) === 1);
    assert.deepEqual(seen, [
      {
        input: { amount: 21, order: { id: 7 } },
        attempt: 1,
        attemptsMax: 3,
        correlationId: 'order 7',
        queue: process.topic,
      },
    ]);
    const { charged, receipt, note, rate, nothing } = await process.variables(instance);
    assert.deepEqual(charged, { value: 42, type: 'Integer' });
    assert.deepEqual(receipt, { value: '{"lines":[1,2]}', type: 'Json' });
    assert.deepEqual(note, { value: 'ok', type: 'String' });
    assert.deepEqual(rate, { value: 0.5, type: 'Double' });
    assert.deepEqual(nothing, { value: null, type: 'Null' });
    await worker.stop();
    assert.equal(worker.tally.completed, 1);
  });
});

function started(t: { after(end: () => Promise<void>): void }, options: OperatonOptions): OperatonWorker {
  const worker = operatonWorker({ pollMs: 1_000, ...options });
  t.after(() => worker.stop({ graceMs: 0 }));
  return worker;
}
