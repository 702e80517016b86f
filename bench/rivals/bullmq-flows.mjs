/** BullMQ's flows: trees of jobs, the last step at the root, its parents as children. One Worker with defaults. */
import { FlowProducer, Queue, QueueEvents, Worker } from 'bullmq';
import { connectionOf } from './bullmq-system.mjs';
import { jobsOf, playFlows } from './play-flows.mjs';

const QUEUE = 'flows';

playFlows((settings) => {
  const { server, graph, concurrency, role, timeoutMs } = settings;
  const common = { connection: connectionOf(server), prefix: server.name };
  const flows = new FlowProducer(common);
  const queue = new Queue(QUEUE, common);
  const events = role === 'worker' ? null : new QueueEvents(QUEUE, common);
  for (const each of [flows, queue, events]) each?.on('error', () => undefined);
  const roots = new Map();

  const node = (run, step) => ({
    name: graph[step].name,
    queueName: QUEUE,
    data: { run, step },
    children: graph[step].after.flatMap((parent) =>
      Array.from({ length: jobsOf(settings, run, parent) }, () => node(run, parent)),
    ),
  });

  return {
    waits: true,
    async prepare() {
      await Promise.all([flows.waitUntilReady(), queue.waitUntilReady(), events?.waitUntilReady()]);
    },
    async start(runs) {
      const made = runs.map((run) => node(run, graph.length - 1));
      const added = made.length === 1 ? [await flows.add(made[0])] : await flows.addBulk(made);
      for (const [index, { job }] of added.entries()) roots.set(runs[index], job);
    },
    async result(run) {
      return (await roots.get(run).waitUntilFinished(events, timeoutMs)) === run;
    },
    async work(marks) {
      const worker = new Worker(
        QUEUE,
        async ({ data: { run, step } }) => {
          marks.begin(run, step);
          marks.end(run, step);
          return run;
        },
        {
          ...common,
          concurrency,
          removeOnComplete: { age: 7 * 86_400, count: 1_000_000 },
          removeOnFail: { age: 90 * 86_400, count: 1_000_000 },
        },
      );
      worker.on('error', () => undefined);
      await worker.waitUntilReady();
      return { stop: () => worker.close() };
    },
    close: () => Promise.all([flows.close(), queue.close(), events?.close()]),
  };
});
