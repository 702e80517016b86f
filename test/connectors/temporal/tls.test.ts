/** A real server behind TLS, with an API key and with certificates. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { temporalWorker } from '../../../src/connectors/temporal/index.ts';
import { Authority } from '../../certificates.ts';
import { lineOf, Sandbox } from '../../cli/longshore.ts';
import { logFor } from './log.ts';
import { clientFor, temporalFor } from './server.ts';
import { workflowBundle } from './stage.ts';
import { echo } from './tasks.ts';
import { tlsBeforeTemporal } from './tls-server.ts';

describe('a server behind TLS', { timeout: 300_000 }, () => {
  test('work and load find it by variables, with an API key in each request', async (t) => {
    const server = await temporalFor(t);
    if (server === null) return;
    const authority = new Authority(t);
    const front = await tlsBeforeTemporal(t, server.url, authority.issue());
    const sandbox = new Sandbox(t);
    const env = {
      DEFAULT_TEMPORAL_URL: front.address,
      DEFAULT_TEMPORAL_API_KEY: 'very-secret',
      DEFAULT_TEMPORAL_TLS_CA: authority.caFile,
      TEMPORAL_WORKER_TASK_QUEUE: 'benchmark',
    };
    const worker = sandbox.start(['temporal', 'work', '--log-format', 'json'], env);
    const exited = once(worker, 'exit');
    await lineOf(worker.stderr, (line) => line.includes('"msg":"Worker started"'));
    const load = await sandbox.run(['temporal', 'load', '--total', '5'], { env });
    assert.equal(load.code, 0, load.stderr);
    assert.match(load.stdout, /^Workflows: 5 in /);
    worker.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null]);
    assert.deepEqual([...front.authorizations], ['Bearer very-secret']);
  });

  test('a client certificate lets a worker in', async (t) => {
    const server = await temporalFor(t);
    if (server === null) return;
    const authority = new Authority(t);
    const front = await tlsBeforeTemporal(t, server.url, { ...authority.issue(), clientCa: authority.ca });
    const { certFile, keyFile } = authority.issue('client');
    const sandbox = new Sandbox(t);
    const env = {
      DEFAULT_TEMPORAL_URL: front.address,
      DEFAULT_TEMPORAL_TLS: 'true',
      DEFAULT_TEMPORAL_TLS_CA: authority.caFile,
      DEFAULT_TEMPORAL_TLS_CERT: certFile,
      DEFAULT_TEMPORAL_TLS_KEY: keyFile,
    };
    const args = ['temporal', 'work', '--task-queue', 'benchmark', '--log-format', 'json'];
    const worker = sandbox.start(args, env);
    const exited = once(worker, 'exit');
    await lineOf(worker.stderr, (line) => line.includes('"msg":"Worker started"'));
    const load = await sandbox.run(['temporal', 'load', '--total', '2'], { env });
    assert.equal(load.code, 0, load.stderr);
    worker.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null]);
  });

  test('a certificate of somebody else is said, and tried again until it is right', async (t) => {
    const server = await temporalFor(t);
    if (server === null) return;
    const authority = new Authority(t);
    const front = await tlsBeforeTemporal(t, server.url, new Authority(t).issue());
    const { logger, line } = logFor();
    const worker = temporalWorker({
      connection: {
        address: front.address,
        tls: { serverRootCACertificate: Buffer.from(authority.ca) },
      },
      taskQueue: 'tls',
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
      /^TLS with localhost:\d+ failed \(the server's certificate is not valid: \w+\)\. Turn TLS on or off as the server has it/,
    );
    await line('Connection error', 3);
    front.present(authority.issue());
    await started;
    const client = await clientFor(t, server.url);
    const run = { workflowId: randomUUID(), taskQueue: 'tls', args: ['hello', 1] };
    assert.equal(await client.workflow.execute('EchoWorkflow', run), 'hello');
    await worker.stop();
  });
});
