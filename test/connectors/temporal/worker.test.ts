import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../setup/services/free-port.mjs';
import { temporalWorker } from '../../../src/connectors/temporal/index.ts';
import { logFor } from './log.ts';
import { clientFor, temporalFor } from './server.ts';
import { stageFor, workflowBundle } from './stage.ts';
import { compute, echo } from './tasks.ts';

test('a worker says at once that no server is there, and starts when there is one', async (t) => {
  const port = await freePort();
  const { logger, line } = logFor();
  const worker = temporalWorker({
    connection: { address: `127.0.0.1:${port}` },
    taskQueue: 'late',
    activities: { echo },
    workflowBundle: await workflowBundle(),
    retryMaxMs: 300,
    logger,
  });
  t.after(() => worker.stop());
  const started = worker.start();
  const { facts } = await line('Connection error');
  assert.equal(facts.code, 'ENGINE_UNAVAILABLE');
  assert.match(
    String(facts.problem),
    /No Temporal server answers at 127\.0\.0\.1:\d+ \(.*refused.*\)\. Start one/i,
  );
  assert.equal(worker.connected, false);
  const server = await temporalFor(t, { port });
  if (server === null) return;
  await started;
  await line('Worker started');
  const client = await clientFor(t, server.url);
  const run = { workflowId: randomUUID(), taskQueue: 'late', args: ['hello', 1] };
  assert.equal(await client.workflow.execute('EchoWorkflow', run), 'hello');
  await worker.stop();
});

test('a namespace that is not there is told with what to do, and found once it is made', async (t) => {
  const server = await temporalFor(t);
  if (server === null) return;
  const { logger, line } = logFor();
  const worker = temporalWorker({
    connection: { address: server.url },
    namespace: 'orders',
    taskQueue: 'q',
    activities: { echo },
    retryMaxMs: 300,
    logger,
  });
  t.after(() => worker.stop());
  const started = worker.start();
  const { facts } = await line('Connection error');
  assert.equal(facts.code, 'ENGINE_REFUSED');
  assert.match(
    String(facts.problem),
    /no namespace 'orders'\. Create it with: temporal operator namespace create/,
  );
  const client = await clientFor(t, server.url);
  await client.workflowService.registerNamespace({
    namespace: 'orders',
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  await started;
  await worker.stop();
});

test('a worker that is stopped while it cannot connect ends at once', async () => {
  const { logger, line } = logFor();
  const worker = temporalWorker({
    connection: { address: `127.0.0.1:${await freePort()}` },
    taskQueue: 'q',
    activities: { echo },
    logger,
  });
  const started = worker.start();
  await line('Connection error');
  await Promise.all([worker.stop(), assert.rejects(started, { code: 'WORKER_STOPPING' })]);
});

test('a server that is restarted is told of, and its workflows go on', async (t) => {
  const server = await temporalFor(t, { durable: true });
  if (server === null) return;
  const { logger, line } = logFor();
  const worker = temporalWorker({
    connection: { address: server.url },
    taskQueue: 'restart',
    activities: { echo },
    workflowBundle: await workflowBundle(),
    retryMaxMs: 300,
    logger,
  });
  t.after(() => worker.stop());
  await worker.start();
  await server.kill();
  await line('Connection error');
  assert.equal(worker.connected, false);
  await server.restart();
  await line('Connected again');
  const client = await clientFor(t, server.url);
  const run = { workflowId: randomUUID(), taskQueue: 'restart', args: ['hello', 2] };
  assert.equal(await client.workflow.execute('EchoWorkflow', run), 'hello');
  await worker.stop();
});

test('an activity that still runs when its worker has stopped is run by another one', async (t) => {
  const stage = await stageFor(t);
  if (stage === null) return;
  const first = await stage.worker({ activities: { compute }, abortGraceMs: 50 });
  const { promise: started, resolve } = Promise.withResolvers<void>();
  first.on('job.started', () => resolve());
  // It runs for as long as the attempt's number says: the first one would take a day.
  const handle = await stage.start('call', 'compute', [DAY_MS], { startToCloseTimeout: '2 days' });
  await started;
  await first.stop({ graceMs: 0 });
  const { promise: again, resolve: heard } = Promise.withResolvers<number>();
  const second = await stage.worker({ activities: { compute }, abortGraceMs: 50 });
  second.on('job.started', ({ attempt }) => heard(attempt));
  assert.equal(await again, 2);
  await handle.terminate();
  await second.stop({ graceMs: 0 });
});

const DAY_MS = 86_400_000;

describe('bad options are refused by name', () => {
  const options = { taskQueue: 'q', activities: { echo } };
  const refused: readonly [what: string, given: object, said: RegExp][] = [
    ['a misspelt option', { taskqueue: 'q' }, /no option "taskqueue"; did you mean "taskQueue"/],
    ['no task queue', { taskQueue: '' }, /taskQueue is ""/],
    [
      'an address with a scheme',
      { connection: { address: 'http://localhost:7233' } },
      /connection\.address is .*host:port without a scheme/,
    ],
    [
      'an activity that is no task',
      { activities: { echo: () => 'x' } },
      /activities\.echo is function echo; expected what defineTask/,
    ],
    ['nothing to do', { activities: {} }, /at least one task/],
    ['a target in per cent', { tuner: { kind: 'longshore', targetCpu: 90 } }, /0\.9, not 90/],
    [
      'a minimum over its maximum',
      { tuner: { kind: 'longshore', activities: { min: 9, max: 3 } } },
      /tuner\.activities\.min is 9; expected at most max, which is 3/,
    ],
    [
      'a tuner nobody knows',
      { tuner: { kind: 'resource' } },
      /tuner\.kind is "resource"; expected 'longshore', 'fixed' or 'temporal'/,
    ],
    [
      'targets of fixed slots',
      { tuner: { kind: 'fixed', targetCpu: 0.5 } },
      /tuner has no option "targetCpu"/,
    ],
    ['a share over 1', { nonStickyToStickyPollRatio: 2 }, /nonStickyToStickyPollRatio is 2/],
    ['an empty API key', { connection: { apiKey: '' } }, /connection\.apiKey/],
  ];
  for (const [what, given, said] of refused)
    test(what, () => {
      assert.throws(() => temporalWorker({ ...options, ...given } as never), {
        code: 'OPTION_INVALID',
        message: said,
      });
    });

  test('workflows that cannot be bundled', async (t) => {
    const worker = temporalWorker({ ...options, workflowsPath: '/nowhere/workflows.ts', logger: false });
    t.after(() => worker.stop());
    await assert.rejects(worker.start(), { code: 'OPTION_INVALID', message: /workflowsPath .*nowhere/ });
    const missing = fileURLToPath(new URL('./needs-files.ts', import.meta.url));
    const other = temporalWorker({ ...options, workflowsPath: missing, logger: false });
    t.after(() => other.stop());
    await assert.rejects(other.start(), {
      code: 'OPTION_INVALID',
      message: /needs-files\.ts" cannot be bundled: ERROR in node:fs/,
    });
  });
});
