/** From what a handler does to what the cluster is told. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import {
  defineTask,
  RetryAfterError,
  SnoozeError,
  type Strategy,
  UnrecoverableError,
} from '../../src/index.ts';
import type { Simulator } from './simulator/server.ts';
import { begin, completions, simulatorFor, started } from './stage.ts';
import { reserve } from './tasks.ts';

/** The failures that the cluster was told, without the stacks. */
function failures(simulator: Simulator): unknown[] {
  return simulator.calls
    .filter(({ path }) => path.endsWith('/failure'))
    .map(({ body }) => {
      const { errorMessage, ...rest } = body as { errorMessage: string };
      return { ...rest, message: errorMessage.split('\n')[0] };
    });
}

const isFailure = ({ path }: { path: string }): boolean => path.endsWith('/failure');

describe('the outcome of a job', { timeout: 60_000 }, () => {
  test('is a failure with one retry less and the back-off of the task, until one completes', async (t) => {
    const simulator = await simulatorFor(t);
    const attempts: number[] = [];
    const flaky = defineTask({
      name: 'flaky',
      backoff: { type: 'exponential', delayMs: 2, jitter: 0 },
      run: ({ attempt }) => {
        attempts.push(attempt);
        if (attempt < 3) throw new Error(`no luck at ${attempt}`);
      },
    });
    const worker = await started(t, simulator, { flaky });
    begin(simulator, [{ type: 'flaky', retries: 3 }]);
    await completions(simulator, 1);
    assert.deepEqual(failures(simulator), [
      { retries: 2, retryBackOff: 2, message: 'Error: no luck at 1' },
      { retries: 1, retryBackOff: 4, message: 'Error: no luck at 2' },
    ]);
    assert.deepEqual(attempts, [1, 2, 3]);
    await worker.stop();
    const { failed, incidents, completed } = worker.counts;
    assert.deepEqual([failed, incidents, completed], [2, 0, 1]);
  });

  test('is an incident when the last retry fails, at once where another cannot help', async (t) => {
    const simulator = await simulatorFor(t);
    const last = defineTask({
      name: 'last',
      run: () => {
        throw new Error('down');
      },
    });
    const hopeless = defineTask({
      name: 'hopeless',
      run: () => {
        throw new UnrecoverableError('the card is stolen');
      },
    });
    const strict = defineTask({ name: 'strict', input: z.object({ amount: z.number() }), run: () => null });
    const worker = await started(t, simulator, { last, hopeless, strict });
    begin(simulator, [{ type: 'last', retries: 1 }]);
    begin(simulator, [{ type: 'hopeless' }]);
    begin(simulator, [{ type: 'strict' }], [{ amount: 'many' }]);
    await simulator.called(isFailure, 3);
    const { incidents } = simulator.engine;
    assert.deepEqual(
      [...incidents.values()].map(({ errorType }) => errorType),
      Array(3).fill('JOB_NO_RETRIES'),
    );
    const messages = [...incidents.values()].map(({ message }) => message.split('\n')[0]).join();
    assert.match(messages, /down/);
    assert.match(messages, /the card is stolen/);
    assert.match(messages, /amount/);
    await worker.stop();
    assert.equal(worker.counts.incidents, 3);
  });

  for (const strategy of ['async', 'thread', 'process'] satisfies Strategy[]) {
    test(`is a BPMN error with its variables (${strategy})`, async (t) => {
      const simulator = await simulatorFor(t);
      const worker = await started(t, simulator, { reserve }, { strategy });
      const [key = ''] = begin(simulator, [{ type: 'reserve', catches: 'NO_STOCK' }], [{ item: 'lamp' }]);
      const call = await simulator.called(({ path }) => path.endsWith('/error'));
      assert.deepEqual(call.body, {
        errorCode: 'NO_STOCK',
        errorMessage: 'no lamp left',
        variables: { missing: 'lamp' },
      });
      const { state, variables } = simulator.engine.instances.get(key) ?? {};
      assert.deepEqual([state, variables], ['COMPLETED', { item: 'lamp', missing: 'lamp' }]);
      await worker.stop();
      assert.equal(worker.counts.errors, 1);
    });
  }

  test('is a failure that uses no retry where the handler asks to run later', async (t) => {
    const simulator = await simulatorFor(t);
    let runs = 0;
    const early = defineTask({
      name: 'early',
      run: () => {
        runs += 1;
        if (runs === 1) throw new SnoozeError(5);
        if (runs === 2) throw new RetryAfterError('busy', 7);
      },
    });
    const worker = await started(t, simulator, { early });
    begin(simulator, [{ type: 'early', retries: 3 }]);
    await completions(simulator, 1);
    assert.deepEqual(failures(simulator), [
      { retries: 3, retryBackOff: 5, message: 'Asked to run later.' },
      { retries: 2, retryBackOff: 7, message: 'RetryAfterError: busy' },
    ]);
    await worker.stop();
    assert.equal(worker.counts.snoozed, 1);
  });

  test('sets variables: those of an object, one for any other value, one by name, or none', async (t) => {
    const simulator = await simulatorFor(t);
    const returning = (name: string, value: unknown) => defineTask({ name, run: () => value });
    await started(t, simulator, {
      object: returning('object', { a: 1 }),
      list: returning('list', [1, 2]),
      named: { task: returning('named', { b: 2 }), into: 'answer' },
      none: returning('none', undefined),
    });
    const [key = ''] = begin(
      simulator,
      ['object', 'list', 'named', 'none'].map((type) => ({ type })),
    );
    await completions(simulator, 4);
    const { variables } = simulator.engine.instances.get(key) ?? {};
    assert.deepEqual(variables, { a: 1, result: [1, 2], answer: { b: 2 } });
  });

  test('is an incident where the cluster does not take the variables', async (t) => {
    const simulator = await simulatorFor(t);
    const { Problem } = await import('./simulator/problem.ts');
    simulator.trouble = ({ path }) =>
      path.endsWith('/completion') ? new Problem(400, 'INVALID_ARGUMENT', 'the message is too large') : null;
    const large = defineTask({ name: 'large', run: () => ({ text: 'x'.repeat(1_000) }) });
    await started(t, simulator, { large });
    begin(simulator, [{ type: 'large' }]);
    await simulator.called(isFailure);
    const [incident] = simulator.engine.incidents.values();
    assert.match(incident?.message ?? '', /answers POST \/jobs\/\d+\/completion with 400 .*too large/);
  });

  test('comes of the variables that are asked for, and of the input that is made of the job', async (t) => {
    const simulator = await simulatorFor(t);
    const seen: unknown[] = [];
    const look = defineTask({ name: 'look', run: ({ input }) => void seen.push(input) });
    await started(t, simulator, {
      some: { task: look, variables: ['a'] },
      made: {
        task: look,
        input: ({ customHeaders, processDefinitionId }) => ({ customHeaders, processDefinitionId }),
      },
    });
    begin(simulator, [{ type: 'some' }, { type: 'made', headers: { unit: 'kg' } }], [{ a: 1, b: 2 }]);
    await completions(simulator, 2);
    assert.deepEqual(seen, [{ a: 1 }, { customHeaders: { unit: 'kg' }, processDefinitionId: 'trial' }]);
  });
});
