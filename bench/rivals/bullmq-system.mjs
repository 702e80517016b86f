/** What both ways of running BullMQ's handlers share: its queue, and what of it is kept. */
import { Queue, Worker } from 'bullmq';

export const NAME = 'noop';
const QUEUE = 'default';

/** @param {{ server: { url: string, name: string }, concurrency: number, keeps?: boolean }} settings */
export function openBull({ server, concurrency, keeps = true }) {
  const connection = connectionOf(server);
  const queue = new Queue(QUEUE, { connection, prefix: server.name, defaultJobOptions: { attempts: 3 } });
  queue.on('error', () => undefined);
  const counts = async () => {
    const { completed, ...others } = await queue.getJobCounts();
    return keeps ? { ...others, completed } : others;
  };
  const system = {
    prepare: () => queue.waitUntilReady(),
    enqueueMany: (inputs) => queue.addBulk(inputs.map((data) => ({ name: NAME, data }))),
    enqueue: (input) => queue.add(NAME, input),
    async unfinished() {
      const { waiting, active, delayed, prioritized, paused } = await queue.getJobCounts(
        'waiting',
        'active',
        'delayed',
        'prioritized',
        'paused',
      );
      return waiting + active + delayed + prioritized + (paused ?? 0);
    },
    counts,
    purge: () => queue.obliterate({ force: true }),
    close: () => queue.close(),
  };
  /** @param {string | ((job: { data: any }) => Promise<unknown>)} processor a function, or the file of one */
  const startWorker = async (processor, options = {}) => {
    const worker = new Worker(QUEUE, processor, {
      connection,
      prefix: server.name,
      concurrency,
      // Said by the worker rather than by each job, whose record would then take more than twice the memory.
      removeOnComplete: keeps ? { age: 7 * 86_400, count: 1_000_000 } : { count: 0 },
      removeOnFail: { age: 90 * 86_400, count: 1_000_000 },
      ...options,
    });
    worker.on('error', () => undefined);
    await worker.waitUntilReady();
    return worker;
  };
  return { system, queue, startWorker };
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
