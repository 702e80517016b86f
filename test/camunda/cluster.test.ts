/**
 * What a worker does as seen by the API alone: on the cluster that CAMUNDA_REST_ADDRESS names, with the credentials of the
 * environment, otherwise on the simulator.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import { BpmnError, camundaWorker } from '../../src/connectors/camunda/index.ts';
import { checkedOptions } from '../../src/connectors/camunda/options.ts';
import { restOf } from '../../src/connectors/camunda/rest.ts';
import { type AnyTask, defineTask } from '../../src/index.ts';
import { sequence, type Task } from './processes.ts';
import { simulatorFor } from './stage.ts';

const address = process.env.CAMUNDA_REST_ADDRESS;
const where = address === undefined ? 'the simulator; CAMUNDA_REST_ADDRESS names a cluster instead' : address;

describe(`a worker on ${where}`, { timeout: 180_000 }, () => {
  test('completes an instance, fails and tries again, and throws an error that is caught', async (t) => {
    const run = await stage(t);
    const attempts: number[] = [];
    const type = `longshore-${randomUUID()}`;
    const first = defineTask<{ amount: number }>({
      name: 'first',
      backoff: { type: 'fixed', delayMs: 10, jitter: 0 },
      run: ({ input, attempt }) => {
        attempts.push(attempt);
        if (attempt === 1) throw new Error('once more');
        return { doubled: input.amount * 2 };
      },
    });
    const second = defineTask({
      name: 'second',
      run: () => {
        throw new BpmnError('ENOUGH', 'no more', { variables: { caught: true } });
      },
    });
    const variables = await run(
      [{ type: `${type}-1` }, { type: `${type}-2`, catches: 'ENOUGH' }],
      { [`${type}-1`]: first, [`${type}-2`]: second },
      { amount: 21 },
    );
    assert.deepEqual(attempts, [1, 2]);
    assert.deepEqual([variables.amount, variables.doubled], [21, 42]);
  });

  test('keeps the lock of a job that runs for longer than it', async (t) => {
    const run = await stage(t);
    const type = `longshore-${randomUUID()}`;
    let runs = 0;
    const long = defineTask({
      name: 'long',
      run: ({ signal }) => {
        runs += 1;
        const { promise, resolve, reject } = Promise.withResolvers<object>();
        signal.addEventListener('abort', () => reject(signal.reason));
        // Longer than the lock.
        setTimeout(() => resolve({ kept: true }), 1.5 * LOCK_MS);
        return promise;
      },
    });
    const variables = await run([{ type }], { [type]: long }, {});
    assert.deepEqual([runs, variables.kept], [1, true]);
  });
});

/** Extended after a third: this machine may stand still for 4 s. */
const LOCK_MS = 6_000;

type Run = (
  tasks: readonly Task[],
  jobTypes: Readonly<Record<string, AnyTask>>,
  variables: object,
) => Promise<Record<string, unknown>>;

/** Deploys a process, runs an instance of it with a worker, and resolves to its variables. */
async function stage(t: TestContext): Promise<Run> {
  const url = address ?? (await simulatorFor(t)).url;
  return async (tasks, jobTypes, variables) => {
    const worker = camundaWorker({ url, jobTypes, logger: false, pollMs: 500, lockMs: LOCK_MS });
    t.after(() => worker.stop({ graceMs: 0 }));
    const rest = restOf(checkedOptions({ url, jobTypes }), { socketsMax: 2 });
    t.after(() => rest.close());
    const form = new FormData();
    const id = `longshore-${randomUUID()}`;
    form.append('resources', new File([sequence(id, ...tasks)], `${id}.bpmn`, { type: 'application/xml' }));
    await rest.call('POST', '/deployments', { body: form });
    await worker.start();
    const requestTimeout = 120_000;
    const body = { processDefinitionId: id, variables, awaitCompletion: true, requestTimeout };
    const instance = await rest.call('POST', '/process-instances', { body, waitMs: requestTimeout });
    await worker.stop();
    assert.equal(worker.counts.stale, 0);
    return (instance as { variables: Record<string, unknown> }).variables;
  };
}
