/**
 * BullMQ through `add`, `addBulk` and one Worker, on either of its backends. What ends is kept or removed as the settings say,
 * with the same bounds as Longshore's default retention: a million jobs, seven days.
 */
const NAME = 'noop';
const QUEUE = 'default';

/** @param {import('../src/kit/system.ts').AgentSettings} settings */
export function bullSystem({ concurrency, keeps }, { Queue, Worker, options }) {
  const queue = new Queue(QUEUE, { ...options, defaultJobOptions: { attempts: 3 } });
  queue.on('error', () => undefined);
  const STATES = ['waiting', 'active', 'delayed', 'prioritized', 'paused'];
  return {
    prepare: () => queue.waitUntilReady(),
    enqueueMany: (inputs) => queue.addBulk(inputs.map((data) => ({ name: NAME, data }))),
    enqueue: (input) => queue.add(NAME, input),
    async work(handler, ended) {
      const worker = new Worker(QUEUE, async ({ data }) => handler(data), {
        ...options,
        concurrency,
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
