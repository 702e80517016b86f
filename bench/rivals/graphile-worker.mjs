/**
 * graphile-worker with everything its documentation recommends for throughput: a local queue, and completions in batches
 * (https://worker.graphile.org/docs/performance). It deletes jobs when they complete.
 */
import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import pg from 'pg';
import { agent } from '../src/kit/agent.ts';

const TASK = 'noop';

agent(({ server, concurrency }) => {
  const pgPool = new pg.Pool({ connectionString: server.url, max: POOL });
  // It wants to see handlers for both.
  pgPool.on('error', () => undefined);
  pgPool.on('connect', (client) => client.on('error', () => undefined));
  const logger = new Logger(() => () => undefined);
  let utils;
  const unfinished = async () => {
    const { rows } = await pgPool.query(`SELECT count(*)::integer AS jobs FROM "${server.name}".jobs`);
    return rows[0].jobs;
  };
  return {
    async prepare() {
      utils = await makeWorkerUtils({ pgPool, schema: server.name, logger });
      await utils.migrate();
    },
    enqueueMany: (inputs) => utils.addJobs(inputs.map((payload) => ({ identifier: TASK, payload }))),
    enqueue: (input) => utils.addJob(TASK, input),
    work: (handler) =>
      run({
        pgPool,
        parsedCronItems: [],
        taskList: { [TASK]: async (payload) => handler(payload) },
        preset: {
          worker: {
            schema: server.name,
            logger,
            concurrentJobs: concurrency,
            localQueue: { size: Math.max(LOCAL_QUEUE, concurrency) },
            completeJobBatchDelay: 0,
            failJobBatchDelay: 0,
          },
        },
        noHandleSignals: true,
      }),
    unfinished,
    async counts() {
      return { unfinished: await unfinished() };
    },
    // Completed jobs are gone already.
    purge: async () => undefined,
    async close() {
      await utils?.release();
      await pgPool.end();
    },
  };
});

/** Its documentation advises at least the concurrency plus two, or ten. */
const POOL = 12;
const LOCAL_QUEUE = 500;
