/** The worker of Temporal's SDK: activities run on its event loop. */
import { fileURLToPath } from 'node:url';
import { Context } from '@temporalio/activity';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { engineWorker } from '../../src/engines/worker-side.ts';
import { block, echo, mixed, work } from '../../src/engines/works.ts';

engineWorker(async ({ url, queue, slots, targetCpu }, marks) => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const connection = await NativeConnection.connect({ address: url });
  const marked = (run) => async (input) => {
    marks.started();
    const result = await run(input);
    marks.ended(String(input.n));
    return result;
  };
  const activities = {
    echo: marked(echo),
    compute: marked(work),
    mixed: marked(mixed),
    block: marked((input) => block(input, () => Context.current().heartbeat())),
  };
  const bounds = { minimumSlots: 1, maximumSlots: 100, rampThrottle: '50ms' };
  const worker = await Worker.create({
    connection,
    taskQueue: queue,
    workflowsPath: fileURLToPath(new URL('../../src/engines/workflows.ts', import.meta.url)),
    activities,
    ...(slots === null
      ? {
          tuner: {
            tunerOptions: { targetCpuUsage: targetCpu, targetMemoryUsage: 0.8 },
            activityTaskSlotOptions: bounds,
          },
        }
      : { maxConcurrentActivityTaskExecutions: slots }),
  });
  const running = worker.run();
  return async () => {
    worker.shutdown();
    await running;
    await connection.close();
  };
});
