/** camunda-external-task-client-js, the client for Camunda 7's external tasks, which Operaton takes over. */
import { Client, Variables } from 'camunda-external-task-client-js';
import { KINDS } from '../../src/engines/engine.ts';
import { topicOf } from '../../src/engines/operaton.ts';
import { engineWorker } from '../../src/engines/worker-side.ts';
import { block, echo, mixed, work } from '../../src/engines/works.ts';

const RUNS = { echo, compute: work, mixed, block: (input) => block(input, () => undefined) };

engineWorker(async ({ url, queue, slots, lockMs }, marks) => {
  const client = new Client({
    baseUrl: url,
    workerId: `own-${process.pid}`,
    maxTasks: slots ?? 10,
    maxParallelExecutions: slots ?? 10,
    asyncResponseTimeout: 5_000,
    lockDuration: lockMs,
    interval: 0,
    autoPoll: false,
  });
  for (const kind of KINDS)
    client.subscribe(topicOf(queue, kind), { variables: ['input'] }, async ({ task, taskService }) => {
      marks.started();
      const result = await RUNS[kind](task.variables.get('input'));
      marks.ended(task.businessKey);
      const variables = new Variables();
      variables.set('result', result);
      await taskService.complete(task, variables);
    });
  client.start();
  return async () => client.stop();
});
