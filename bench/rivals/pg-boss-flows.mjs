/** pg-boss's flows: jobs that depend on others by name. What is unblocked it looks for every second, the least it takes. */
import { PgBoss } from 'pg-boss';
import { jobsOf, playFlows } from './play-flows.mjs';

const QUEUE = 'flows';
const BATCH = 500;
/** Runs of one call. */
const RUNS = 100;
const LOOK_MS = 50;

playFlows((settings) => {
  const { server, graph } = settings;
  const boss = new PgBoss({
    connectionString: server.url,
    schema: server.name,
    useListenNotify: true,
    max: 10,
    flowIntervalSeconds: 1,
  });
  boss.on('error', () => undefined);
  const sinks = new Map();
  const refsOf = (run, step) =>
    Array.from({ length: jobsOf(settings, run, step) }, (_, index) => `${run}.${step}.${index}`);
  const jobsFor = (run) =>
    graph.flatMap(({ after }, step) => {
      const dependsOn = after.flatMap((parent) => refsOf(run, parent));
      return refsOf(run, step).map((ref) => ({
        ref,
        name: QUEUE,
        data: { run, step },
        ...(dependsOn.length > 0 && { dependsOn }),
      }));
    });

  return {
    waits: false,
    async prepare() {
      await boss.start();
      await boss.createQueue(QUEUE, { notify: true });
    },
    async start(runs) {
      for (let from = 0; from < runs.length; from += RUNS) {
        const some = runs.slice(from, from + RUNS);
        const ids = await boss.flow(some.flatMap(jobsFor));
        for (const run of some) sinks.set(run, ids[refsOf(run, graph.length - 1)[0]]);
      }
    },
    /** It has no way to wait for a job's end. */
    async result(run) {
      for (;;) {
        const [job] = await boss.findJobs(QUEUE, { id: sinks.get(run) });
        if (job?.state === 'completed') return true;
        if (job === undefined || job.state === 'failed' || job.state === 'cancelled') return false;
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    },
    async work(marks) {
      const options = {
        ...{ batchSize: BATCH, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 },
        // Nobody is told what its resolver unblocks: with the default it would lie there for 30 s.
        notifyPollingIntervalSeconds: 0.5,
      };
      await boss.work(QUEUE, options, async (jobs) => {
        for (const { data } of jobs) {
          marks.begin(data.run, data.step);
          marks.end(data.run, data.step);
        }
      });
      return { stop: () => boss.offWork(QUEUE) };
    },
    close: () => boss.stop({ graceful: false }),
  };
});
