/** Temporal by its own TypeScript worker: a job is a workflow with one activity, which does the work. */
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { agent } from '../src/kit/agent.ts';

const ADDRESS = process.env.LONGSHORE_BENCH_TEMPORAL;
const WORKFLOWS = fileURLToPath(new URL('./temporal-workflow.mjs', import.meta.url));
const QUEUE = `bench-${process.ppid}`;

agent(({ concurrency }) => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  let connection;
  let client;
  let started = 0;
  const run = `${QUEUE}-${Date.now()}`;
  const enqueue = (input) => {
    started += 1;
    const workflowId = `${run}-${started}`;
    return client.workflow.start('job', { taskQueue: QUEUE, workflowId, args: [input] });
  };
  const count = async (status) => {
    const query = `TaskQueue = '${QUEUE}' AND ExecutionStatus = '${status}'`;
    return (await client.workflow.count(query)).count;
  };
  return {
    async prepare() {
      connection = await Connection.connect({ address: ADDRESS });
      client = new Client({ connection });
    },
    enqueue,
    enqueueMany: (inputs) => Promise.all(inputs.map(enqueue)),
    async work(handler) {
      const worker = await Worker.create({
        connection: await NativeConnection.connect({ address: ADDRESS }),
        taskQueue: QUEUE,
        workflowsPath: WORKFLOWS,
        activities: { work: async (input) => void (await handler(input)) },
        maxConcurrentActivityTaskExecutions: concurrency,
      });
      const running = worker.run();
      return {
        async stop() {
          worker.shutdown();
          await running;
        },
      };
    },
    unfinished: () => count('Running'),
    async counts() {
      return { running: await count('Running'), failed: await count('Failed') };
    },
    // Closed workflows of a warm-up stay, and are counted by nobody.
    purge: async () => undefined,
    close: () => connection.close(),
  };
});
