/**
 * BullMQ through `add`, `addBulk` and one Worker, on either of its backends. What ends is kept or removed as the settings say,
 * with the same bounds as Longshore's default retention: a million jobs, seven days.
 */
import { fileURLToPath } from 'node:url';

const NAME = 'noop';
const QUEUE = 'default';
const PROCESSOR = fileURLToPath(new URL('bullmq-processor.mjs', import.meta.url));

function sandbox(strategy) {
  // It would hand on the flags of this process, of which threads refuse some.
  const plain = { execArgv: [] };
  return {
    useWorkerThreads: strategy === 'thread',
    workerThreadsOptions: plain,
    workerForkOptions: plain,
  };
}

/** @param {import('../src/kit/system.ts').AgentSettings} settings */
export function bullSystem({ concurrency, keeps, strategy, hosts }, { Queue, Worker, options }) {
  const queue = new Queue(QUEUE, { ...options, defaultJobOptions: { attempts: 3 } });
  queue.on('error', () => undefined);
  const STATES = ['waiting', 'active', 'delayed', 'prioritized', 'paused'];
  return {
    prepare: () => queue.waitUntilReady(),
    enqueueMany: (inputs) => queue.addBulk(inputs.map((data) => ({ name: NAME, data }))),
    enqueue: (input) => queue.add(NAME, input),
    async work(handler, ended) {
      // Each of its threads or processes has one job at a time.
      const where = strategy === 'async' ? { concurrency } : { ...sandbox(strategy), concurrency: hosts };
      const processor = strategy === 'async' ? async ({ data }) => handler(data) : PROCESSOR;
      const worker = new Worker(QUEUE, processor, {
        ...options,
        ...where,
        // Said by the worker rather than by each job, whose record would then take more than twice the memory.
        removeOnComplete: keeps ? { age: 7 * 86_400, count: 1_000_000 } : { count: 0 },
        removeOnFail: { age: 90 * 86_400, count: 1_000_000 },
      });
      worker.on('error', () => undefined);
      worker.on('completed', ({ data }) => ended(data.n));
      await worker.waitUntilReady();
      return { stop: () => worker.close() };
    },
    async unfinished() {
      const counts = await queue.getJobCounts(...STATES);
      return Object.values(counts).reduce((sum, count) => sum + count, 0);
    },
    async counts() {
      const { completed, ...others } = await queue.getJobCounts();
      return keeps ? { ...others, completed } : others;
    },
    purge: () => queue.obliterate({ force: true }),
    close: () => queue.close(),
  };
}

/** @param {{ url: string }} server */
export function connectionOf({ url }) {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    host: hostname,
    port: Number(port || 6379),
    db: Number(pathname.slice(1) || 0),
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    maxRetriesPerRequest: null,
  };
}
