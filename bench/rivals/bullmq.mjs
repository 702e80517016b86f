/**
 * BullMQ with its defaults, through `addBulk` and one Worker. What ends is kept or removed as the settings say, with the
 * same bounds as Longshore's default retention: a million jobs, seven days.
 */
import { Queue, Worker } from 'bullmq';
import { measure } from './measure.mjs';

const NAME = 'noop';

measure(({ server, concurrency, keeps = true }) => {
  const { hostname, port, username, password, pathname } = new URL(server.url);
  const connection = {
    host: hostname,
    port: Number(port || 6379),
    db: Number(pathname.slice(1) || 0),
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    maxRetriesPerRequest: null,
  };
  const queue = new Queue('default', {
    connection,
    prefix: server.name,
    defaultJobOptions: { attempts: 3 },
  });
  queue.on('error', () => undefined);
  const counts = async () => {
    const { completed, ...others } = await queue.getJobCounts();
    return keeps ? { ...others, completed } : others;
  };
  return {
    prepare: () => queue.waitUntilReady(),
    enqueueMany: (inputs) => queue.addBulk(inputs.map((data) => ({ name: NAME, data }))),
    enqueue: (input) => queue.add(NAME, input),
    async work(handler) {
      const worker = new Worker('default', async ({ data }) => handler(data), {
        connection,
        prefix: server.name,
        concurrency,
        // Said by the worker rather than by each job, whose record would then take more than twice the memory.
        removeOnComplete: keeps ? { age: 7 * 86_400, count: 1_000_000 } : { count: 0 },
        removeOnFail: { age: 90 * 86_400, count: 1_000_000 },
      });
      worker.on('error', () => undefined);
      await worker.waitUntilReady();
      return { stop: () => worker.close() };
    },
    async unfinished() {
      const { waiting, active, delayed, prioritized } = await queue.getJobCounts(
        'waiting',
        'active',
        'delayed',
        'prioritized',
      );
      return waiting + active + delayed + prioritized;
    },
    counts,
    purge: () => queue.obliterate({ force: true }),
    close: () => queue.close(),
  };
});
