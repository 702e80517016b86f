/**
 * DBOS: a run is a workflow in the process that starts it, each job a step of it. Where a step is many jobs, they are child
 * workflows in a queue, as its documentation has it for work that several processes share.
 */
import { DBOS } from '@dbos-inc/dbos-sdk';
import { jobsOf, playFlows } from './play-flows.mjs';

const QUEUE = 'flows';

playFlows((settings) => {
  const { server, graph } = settings;
  let marks = null;
  const ran = (run, step) => {
    marks.begin(run, step);
    marks.end(run, step);
  };
  const child = DBOS.registerWorkflow(
    async (run, step) => {
      await DBOS.runStep(async () => ran(run, step), { name: 'item' });
    },
    { name: 'child' },
  );
  const stepOf = async (run, step) => {
    const jobs = jobsOf(settings, run, step);
    if (jobs === 1) {
      await DBOS.runStep(async () => ran(run, step), { name: graph[step].name });
      return;
    }
    const handles = [];
    for (let index = 0; index < jobs; index += 1)
      handles.push(await DBOS.startWorkflow(child, { queueName: QUEUE })(run, step));
    for (const handle of handles) await handle.getResult();
  };
  const flow = DBOS.registerWorkflow(
    async (run) => {
      // Steps stand in levels: those of one begin together, in the same order each time.
      for (const level of levelsOf(graph)) await Promise.all(level.map((step) => stepOf(run, step)));
      return run;
    },
    { name: 'flow' },
  );
  const handles = new Map();
  DBOS.setConfig({
    name: 'bench',
    systemDatabaseUrl: server.url,
    systemDatabaseSchemaName: server.name,
    logLevel: 'error',
  });

  return {
    waits: true,
    async prepare() {
      await DBOS.launch();
      await DBOS.registerQueue(QUEUE);
    },
    start: (runs) =>
      Promise.all(
        runs.map(async (run) => {
          handles.set(run, await DBOS.startWorkflow(flow)(run));
        }),
      ),
    async result(run) {
      return (await handles.get(run).getResult()) === run;
    },
    async work(given) {
      marks = given;
      return { stop: async () => undefined };
    },
    close: () => DBOS.shutdown(),
  };
});

/** Steps by the longest way to them. */
function levelsOf(graph) {
  const depths = [];
  for (const { after } of graph) depths.push(1 + Math.max(-1, ...after.map((parent) => depths[parent])));
  return Array.from({ length: Math.max(...depths) + 1 }, (_, depth) =>
    graph.flatMap((_step, index) => (depths[index] === depth ? [index] : [])),
  );
}
