import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporalWorker } from '../../../src/connectors/temporal/index.ts';
import { defineTask } from '../../../src/index.ts';
import { clientFor, temporalFor } from './server.ts';

const WORKFLOWS = fileURLToPath(
  new URL('../../../src/connectors/temporal/echo-workflow.ts', import.meta.url),
);

const echo = defineTask<string, string>({ name: 'echo', run: ({ input }) => input });

test('a workflow of Temporal calls a task as its activity', async (t) => {
  const server = await temporalFor(t);
  if (server === null) return;
  const worker = temporalWorker({
    connection: { address: server.url },
    taskQueue: 'echo',
    workflowsPath: WORKFLOWS,
    activities: { echo },
  });
  t.after(() => worker.stop());
  const completed: string[] = [];
  worker.on('job.completed', ({ task, queue }) => completed.push(`${task} of ${queue}`));
  await worker.start();
  const client = await clientFor(t, server.url);
  const result = await client.workflow.execute('EchoWorkflow', {
    workflowId: 'echo-1',
    taskQueue: 'echo',
    args: ['hello', 2],
  });
  assert.equal(result, 'hello');
  assert.deepEqual(completed, ['echo of echo', 'echo of echo']);
});
