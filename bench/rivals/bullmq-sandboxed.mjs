/**
 * BullMQ's sandboxed processors: handlers in a file that it runs in threads or child processes of its own, one for each
 * job at a time, so as many as the worker's concurrency.
 */
import { fileURLToPath } from 'node:url';
import { openBull } from './bullmq-system.mjs';
import { measure } from './measure.mjs';

const PROCESSOR = fileURLToPath(new URL('bullmq-processor.mjs', import.meta.url));

measure((settings) => {
  const { system, queue, startWorker } = openBull(settings);
  return {
    ...system,
    pause: () => queue.pause(),
    resume: () => queue.resume(),
    async workApart(onCompleted) {
      // It would hand on the flags of this process, of which threads refuse some.
      const plain = { execArgv: [] };
      const worker = await startWorker(PROCESSOR, {
        useWorkerThreads: settings.strategy === 'thread',
        workerThreadsOptions: plain,
        workerForkOptions: plain,
      });
      worker.on('completed', onCompleted);
      return { stop: () => worker.close() };
    },
  };
});
