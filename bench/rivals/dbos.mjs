/** DBOS: a job is a workflow in a queue, with its work as the one step, as its documentation has it for work that processes share. */
import { DBOS } from '@dbos-inc/dbos-sdk';
import pg from 'pg';
import { agent } from '../src/kit/agent.ts';

const QUEUE = 'jobs';
/** Before this is set the process works on nothing: it registers the workflow, but listens to no queue. */
let handle = async () => undefined;

const workflow = DBOS.registerWorkflow(
  async (input) => {
    await DBOS.runStep(async () => void (await handle(input)), { name: 'work' });
  },
  { name: 'job' },
);

agent(({ server, concurrency }) => {
  const pool = new pg.Pool({ connectionString: server.url, max: 1 });
  pool.on('error', () => undefined);
  let launched = false;
  const launch = async (listens) => {
    if (launched) await DBOS.shutdown();
    DBOS.setConfig({
      name: 'bench',
      systemDatabaseUrl: server.url,
      systemDatabaseSchemaName: server.name,
      logLevel: 'error',
      applicationVersion: 'bench',
      listenQueues: listens ? [QUEUE] : ['none'],
    });
    await DBOS.launch();
    launched = true;
    await DBOS.registerQueue(QUEUE, { workerConcurrency: concurrency, minPollingIntervalMs: 10 });
  };
  const counts = async () => {
    const { rows } = await pool.query(
      `SELECT status, count(*)::integer AS jobs FROM "${server.name}".workflow_status WHERE name = 'job' GROUP BY status`,
    );
    const { SUCCESS: completed = 0, ...others } = Object.fromEntries(
      rows.map(({ status, jobs }) => [status, jobs]),
    );
    return { completed, ...others };
  };
  const enqueue = (input) => DBOS.startWorkflow(workflow, { queueName: QUEUE })(input);
  return {
    prepare: () => launch(false),
    enqueue,
    enqueueMany: (inputs) => Promise.all(inputs.map(enqueue)),
    async work(handler) {
      handle = async (input) => handler(input);
      await launch(true);
      return { stop: () => launch(false) };
    },
    async unfinished() {
      const { completed: _, ...others } = await counts();
      return Object.values(others).reduce((sum, jobs) => sum + jobs, 0);
    },
    counts,
    async purge() {
      const { rows } = await pool.query(`SELECT workflow_uuid AS id FROM "${server.name}".workflow_status`);
      await DBOS.deleteWorkflows(rows.map(({ id }) => id));
    },
    async close() {
      await DBOS.shutdown();
      await pool.end();
    },
  };
});
