/** The simulator answers in the shapes of Camunda 8: the official SDK, which checks all it sends and gets, runs on it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type CamundaClient, createCamundaClient, type JobWorker } from '@camunda8/orchestration-cluster-api';
import { FakeClock } from '../../src/testing/fake-clock.ts';
import { sequence } from './processes.ts';
import { Simulator } from './simulator/server.ts';

describe("the official SDK's worker on the simulator", { timeout: 60_000 }, () => {
  test('completes the jobs of a process, with variables and headers', async (t) => {
    const { simulator, client } = await start(t);
    const xml = sequence('order', { type: 'charge', headers: { currency: 'EUR' } }, { type: 'ship' });
    await deploy(client, 'order.bpmn', xml);
    const seen: unknown[] = [];
    work(t, client, 'charge', (job) => {
      seen.push([job.variables, job.customHeaders, job.retries]);
      return job.complete({ charged: 12 });
    });
    work(t, client, 'ship', (job) => {
      seen.push(job.variables);
      return job.complete({ shipped: true });
    });
    const result = await client.createProcessInstance({
      processDefinitionId: 'order' as never,
      variables: { amount: 12 },
      awaitCompletion: true,
      requestTimeout: 30_000,
    });
    assert.deepEqual(result.variables, { amount: 12, charged: 12, shipped: true });
    assert.deepEqual(seen, [[{ amount: 12 }, { currency: 'EUR' }, 3], { amount: 12, charged: 12 }]);
    assert.equal(simulator.engine.counts.completions, 2);
  });

  test('fails with retries until an incident, which is resolved', async (t) => {
    const { simulator, client } = await start(t);
    await deploy(client, 'flaky.bpmn', sequence('flaky', { type: 'flaky', retries: 2 }));
    let healthy = false;
    const retries: number[] = [];
    work(t, client, 'flaky', (job) => {
      retries.push(job.retries);
      if (healthy) return job.complete();
      return job.fail({ errorMessage: 'down', retries: job.retries - 1, retryBackOff: 1 });
    });
    await client.createProcessInstance({ processDefinitionId: 'flaky' as never });
    await simulator.called(({ path }) => path.endsWith('/failure'), 2);
    const { items } = await client.searchIncidents({}, { consistency: { waitUpToMs: 0 } });
    assert.deepEqual(
      items.map(({ errorType, state, errorMessage }) => [errorType, state, errorMessage]),
      [['JOB_NO_RETRIES', 'ACTIVE', 'down']],
    );
    healthy = true;
    const [incident] = items;
    await client.updateJob({ jobKey: incident?.jobKey as never, changeset: { retries: 1 } });
    const completed = simulator.called(({ path }) => path.endsWith('/completion'));
    await client.resolveIncident({ incidentKey: incident?.incidentKey as never });
    await completed;
    assert.deepEqual(retries, [2, 1, 1]);
  });

  test('throws a BPMN error that a boundary event catches', async (t) => {
    const { client } = await start(t);
    const xml = sequence('stock', { type: 'reserve', catches: 'NO_STOCK' }, { type: 'never' });
    await deploy(client, 'stock.bpmn', xml);
    work(t, client, 'reserve', (job) => job.error({ errorCode: 'NO_STOCK', variables: { missing: 3 } }));
    const result = await client.createProcessInstance({
      processDefinitionId: 'stock' as never,
      awaitCompletion: true,
      requestTimeout: 30_000,
    });
    assert.deepEqual(result.variables, { missing: 3 });
  });

  test('is told its topology, and gets problems as problems', async (t) => {
    const { client } = await start(t);
    assert.equal((await client.getTopology()).gatewayVersion, '8.9.0');
    await assert.rejects(client.completeJob({ jobKey: '9' as never }), { status: 404 });
    await assert.rejects(deploy(client, 'bad.bpmn', '<bpmn:process id="x"></bpmn:process>'), { status: 400 });
  });
});

describe('the simulator', { timeout: 60_000 }, () => {
  test('gives a job out again when its lock ends, and uses no retry', async (t) => {
    const clock = new FakeClock();
    const { simulator, client } = await start(t, clock);
    await deploy(client, 'one.bpmn', sequence('one', { type: 'one' }));
    await client.createProcessInstance({ processDefinitionId: 'one' as never });
    const first = await activate(client, 5_000);
    assert.equal(first?.deadline, clock.now() + 5_000);
    assert.equal(await activate(client, 5_000), undefined);
    await client.updateJob({ jobKey: first?.jobKey as never, changeset: { timeout: 7_000 } });
    await clock.advance(6_999);
    assert.equal(await activate(client, 5_000), undefined);
    await clock.advance(1);
    const second = await activate(client, 5_000);
    assert.deepEqual([second?.jobKey, second?.retries], [first?.jobKey, 3]);
    await client.completeJob({ jobKey: second?.jobKey as never });
    await assert.rejects(client.completeJob({ jobKey: first?.jobKey as never }), { status: 404 });
    const { activations, redeliveries, expiries, completions, stale } = simulator.engine.counts;
    assert.deepEqual([activations, redeliveries, expiries, completions, stale], [2, 1, 1, 1, 1]);
  });

  test('puts jobs into a poll whose client has gone, where they are locked', async (t) => {
    const clock = new FakeClock();
    const { simulator, client } = await start(t, clock);
    await deploy(client, 'one.bpmn', sequence('one', { type: 'one' }));
    const gone = new AbortController();
    const polled = simulator.called(({ path }) => path === '/v2/jobs/activation');
    const poll = fetch(`${simulator.url}/v2/jobs/activation`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'one', timeout: 5_000, maxJobsToActivate: 1 }),
      signal: gone.signal,
    });
    await polled;
    const closed = simulator.disconnected();
    gone.abort();
    await assert.rejects(poll);
    await closed;
    await client.createProcessInstance({ processDefinitionId: 'one' as never });
    assert.equal(simulator.engine.counts.abandoned, 1);
    assert.equal(await activate(client, 5_000), undefined);
    await clock.advance(5_000);
    assert.equal((await activate(client, 5_000))?.retries, 3);
  });
});

type Context = { after(fn: () => unknown): void };

async function start(
  t: Context,
  clock?: FakeClock,
): Promise<{ simulator: Simulator; client: CamundaClient }> {
  const simulator = await new Simulator(clock === undefined ? {} : { clock }).listen();
  t.after(() => simulator.close());
  const client = createCamundaClient({
    config: {
      CAMUNDA_REST_ADDRESS: simulator.url,
      CAMUNDA_AUTH_STRATEGY: 'NONE',
      CAMUNDA_SDK_VALIDATION: 'req:strict,res:strict',
      CAMUNDA_SDK_LOG_LEVEL: 'silent',
    },
  });
  return { simulator, client };
}

function deploy(client: CamundaClient, name: string, xml: string): Promise<unknown> {
  return client.createDeployment({ resources: [new File([xml], name, { type: 'application/xml' })] });
}

type Handler = Parameters<CamundaClient['createJobWorker']>[0]['jobHandler'];

function work(t: Context, client: CamundaClient, jobType: string, jobHandler: Handler): JobWorker {
  const worker = client.createJobWorker({ jobType, jobHandler, pollTimeoutMs: 1_000, jobTimeoutMs: 30_000 });
  t.after(() => worker.stop());
  return worker;
}

async function activate(client: CamundaClient, timeout: number) {
  const { jobs } = await client.activateJobs({
    type: 'one',
    timeout,
    maxJobsToActivate: 1,
    requestTimeout: -1,
  });
  return jobs[0];
}
