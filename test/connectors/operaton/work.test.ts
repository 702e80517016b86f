import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import type { ExternalTask, OperatonTally, Topic } from '../../../src/connectors/operaton/index.ts';
import { defineTask, SnoozeError, UnrecoverableError } from '../../../src/index.ts';
import { decline } from './decline.ts';
import { engineFor } from './server.ts';
import { workerFor } from './started.ts';
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
        return {
          charged: input.amount * 2,
          receipt: { lines: [1, 2] },
          note: 'ok',
          rate: 0.5,
          nothing: null,
        };
      },
    });
    const worker = workerFor(t, { url: engine.url, topics: { [process.topic]: task } });
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

  test('a task that fails is tried again by its backoff, and then makes an incident', async (t) => {
    const engine = await engineFor(t);
    if (engine === undefined) return;
    const process = await engine.deploy(t);
    const attempts: string[] = [];
    const task = defineTask({
      name: 'flaky',
      attempts: 3,
      backoff: 10,
      run: ({ attempt, attemptsMax }) => {
        attempts.push(`${attempt} of ${attemptsMax}`);
        throw new Error('the printer is on fire');
      },
    });
    const worker = workerFor(t, { url: engine.url, topics: { [process.topic]: task } });
    await worker.start();
    await process.start();
    await until(async () => (await process.incidents()).length === 1);
    assert.deepEqual(attempts, ['1 of 3', '2 of 3', '3 of 3']);
    const [incident] = await process.incidents();
    assert.equal(incident?.incidentMessage, 'Error: the printer is on fire');
    const [waiting] = await process.tasks();
    assert.equal(waiting?.retries, 0);
    // Somebody looks into it, and gives it one more attempt.
    await engine.call('PUT', `/external-task/${waiting?.id}/retries`, { retries: 1 });
    await until(async () => attempts.length === 4);
    assert.equal(attempts[3], '3 of 3');
    await until(async () => (await process.incidents()).length === 1);
    await worker.stop();
    assert.deepEqual({ ...worker.tally }, { ...NOTHING, retried: 2, failed: 2 });
  });

  test('an error that no other attempt helps makes an incident at once', async (t) => {
    const engine = await engineFor(t);
    if (engine === undefined) return;
    const process = await engine.deploy(t);
    const task = defineTask({
      name: 'strict',
      input: z.object({ amount: z.number() }),
      run: () => {
        throw new UnrecoverableError('no such customer');
      },
    });
    const worker = workerFor(t, { url: engine.url, topics: { [process.topic]: task } });
    await worker.start();
    await process.start({ amount: { value: 'many' } });
    await process.start({ amount: { value: 1 } });
    await until(async () => (await process.incidents()).length === 2);
    const messages = (await process.incidents()).map(({ incidentMessage }) => incidentMessage).sort();
    assert.match(messages[0] ?? '', /^LongshoreError: .*amount: .*number.*\(got "many"\)/);
    assert.equal(messages[1], 'UnrecoverableError: no such customer');
  });

  for (const strategy of ['async', 'thread'] as const) {
    test(`a BPMN error of a handler takes the path that catches it (${strategy})`, async (t) => {
      const engine = await engineFor(t);
      if (engine === undefined) return;
      const process = await engine.deploy(t);
      const worker = workerFor(t, { url: engine.url, strategy, topics: { [process.topic]: decline } });
      await worker.start();
      const instance = await process.start({ limit: { value: 100 } });
      await until(async () => (await process.ended('declined')) === 1);
      const { why, open } = await process.variables(instance);
      assert.equal(why?.value, 'over the limit');
      assert.equal(open?.value, 100);
      await worker.stop();
      assert.deepEqual({ ...worker.tally }, { ...NOTHING, bpmnErrors: 1 });
    });
  }

  test('a snoozed task comes again uncharged', async (t) => {
    const engine = await engineFor(t);
    if (engine === undefined) return;
    const process = await engine.deploy(t);
    const attempts: number[] = [];
    const task = defineTask({
      name: 'later',
      run: ({ attempt }) => {
        attempts.push(attempt);
        if (attempts.length < 3) throw new SnoozeError(5);
      },
    });
    const worker = workerFor(t, { url: engine.url, topics: { [process.topic]: task } });
    await worker.start();
    await process.start();
    await until(async () => (await process.ended('end')) === 1);
    assert.deepEqual(attempts, [1, 1, 1]);
    await worker.stop();
    assert.deepEqual({ ...worker.tally }, { ...NOTHING, snoozed: 2, completed: 1 });
  });

  test('a topic says what is fetched, what the input is, and what the result is written as', async (t) => {
    const engine = await engineFor(t);
    if (engine === undefined) return;
    const process = await engine.deploy(t);
    const task = defineTask<object, object>({
      name: 'typed',
      run: ({ input }) => ({ seen: input, total: '9007199254740993', at: '2030-01-31T09:00:00Z' }),
    });
    const topic = {
      task,
      variables: ['total'],
      extensionProperties: true,
      input: ({ variables, extensionProperties }: ExternalTask) => ({
        names: Object.keys(variables),
        unit: extensionProperties?.unit ?? null,
        total: variables.total?.value ?? null,
      }),
      types: { total: 'Long', at: 'Date', seen: 'String' },
    } as const satisfies Topic;
    const worker = workerFor(t, { url: engine.url, topics: { [process.topic]: topic } });
    await worker.start();
    const instance = await process.start({
      total: { type: 'Long', value: 1 },
      other: { value: 'not fetched' },
    });
    await until(async () => (await process.ended('end')) === 1);
    const { seen, at } = await process.variables(instance);
    assert.deepEqual(seen, { value: '{"names":["total"],"unit":"cent","total":1}', type: 'String' });
    assert.deepEqual(at, { value: '2030-01-31T09:00:00.000+0000', type: 'Date' });
    const text = await (
      await fetch(`${engine.url}/history/variable-instance?processInstanceId=${instance}`)
    ).text();
    assert.match(text, /"value":9007199254740993/);
  });

  test('a result that the engine cannot hold makes an incident that says what to do', async (t) => {
    const engine = await engineFor(t);
    if (engine === undefined) return;
    const process = await engine.deploy(t);
    const task = defineTask<{ kind: string }, object>({
      name: 'large',
      run: ({ input }) =>
        input.kind === 'long' ? { text: 'x'.repeat(4_001) } : { text: 'x'.repeat(2_000_000) },
    });
    const worker = workerFor(t, { url: engine.url, topics: { [process.topic]: task } });
    await worker.start();
    await process.start({ kind: { value: 'long' } });
    await process.start({ kind: { value: 'huge' } });
    await until(async () => (await process.incidents()).length === 2);
    const messages = (await process.incidents()).map(({ incidentMessage }) => incidentMessage).sort();
    assert.match(messages[0] ?? '', /result of task "large".*1048576/);
    assert.match(messages[1] ?? '', /"text" has 4001 characters; .* Json, Xml or Bytes under `types`/);
  });

  test('what the engine refuses to take of a result is a failure with its words', async (t) => {
    const engine = await engineFor(t);
    if (engine === undefined) return;
    const process = await engine.deploy(t);
    const task = defineTask({ name: 'unwritable', attempts: 1, run: () => ({ ['x'.repeat(300)]: 1 }) });
    const worker = workerFor(t, { url: engine.url, topics: { [process.topic]: task } });
    await worker.start();
    await process.start();
    await until(async () => (await process.incidents()).length === 1);
    const [incident] = await process.incidents();
    assert.match(incident?.incidentMessage ?? '', /answers complete with 500, ".*persistence layer/);
  });
});

const NOTHING: OperatonTally = {
  completed: 0,
  bpmnErrors: 0,
  retried: 0,
  failed: 0,
  snoozed: 0,
  released: 0,
  lost: 0,
  unconfirmed: 0,
};
