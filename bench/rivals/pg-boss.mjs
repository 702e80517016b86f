/**
 * pg-boss as its documentation has it: `work()` with batches, fetching on at once while they come back full. A handler gets a
 * batch; its jobs run at the same time, and the batch is completed when all of them are done.
 */
import pg from 'pg';
import { PgBoss } from 'pg-boss';
import { agent } from '../src/kit/agent.ts';

const QUEUE = 'noop';
/** Where handlers do nothing: as large as its documentation's examples go. Others take `concurrency`. */
const BATCH = 500;

agent(({ server, concurrency, handler: kind }) => {
  const boss = new PgBoss({
    connectionString: server.url,
    schema: server.name,
    // Between two processes it would otherwise poll.
    useListenNotify: true,
    max: 10,
  });
  boss.on('error', () => undefined);
  // Its own statistics are cached by design, too late for a finish line.
  const pool = new pg.Pool({ connectionString: server.url, max: 1 });
  pool.on('error', () => undefined);
  const counts = async () => {
    const { rows } = await pool.query(
      `SELECT state::text, count(*)::integer AS jobs FROM "${server.name}".job WHERE name = $1 GROUP BY state`,
      [QUEUE],
    );
    return { completed: 0, ...Object.fromEntries(rows.map(({ state, jobs }) => [state, jobs])) };
  };
  return {
    async prepare() {
      await boss.start();
      await boss.createQueue(QUEUE, { notify: true });
    },
    enqueueMany: (inputs) =>
      boss.insert(
        QUEUE,
        inputs.map((data) => ({ data })),
      ),
    enqueue: (input) => boss.send(QUEUE, input),
    async work(handler) {
      const batchSize = kind === 'none' ? BATCH : concurrency;
      const options = { batchSize, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 };
      await boss.work(QUEUE, options, async (jobs) => {
        await Promise.all(jobs.map(({ data }) => handler(data)));
      });
      return { stop: () => boss.offWork(QUEUE) };
    },
    async unfinished() {
      const { completed: _, ...others } = await counts();
      return Object.values(others).reduce((sum, jobs) => sum + jobs, 0);
    },
    counts,
    purge: () => boss.deleteAllJobs(QUEUE),
    async close() {
      await boss.stop({ graceful: false });
      await pool.end();
    },
  };
});
