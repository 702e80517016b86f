import { type FlowSystem, type PlayReport, type PlaySettings, play } from '../flows/play.ts';
import { fanOutShape, type Shape, type ShapeName, shapeNamed } from '../flows/shape.ts';
import { type AnyTask, connect, type JobContext, type Longshore, type RunHandle } from '../longshore.ts';
import { program } from '../program.ts';
import { countJobs } from '../workload.ts';

/** Starts runs of a flow, or carries them, or both. */
program<PlaySettings, PlayReport>(async (settings, parent) => {
  const shape =
    settings.part === 'fanOut'
      ? await fanOutShape(settings.items)
      : await shapeNamed(settings.shape as ShapeName);
  const longshore = await connect(settings.url, { payloadBytesMax: PAYLOAD_BYTES_MAX });
  try {
    return await play(systemOf(longshore, shape, settings), settings, parent);
  } finally {
    await longshore.close();
  }
});

/** The list of 100,000 results that a join is given takes 1.1 MB. */
const PAYLOAD_BYTES_MAX = 64 * 2 ** 20;

function systemOf(longshore: Longshore, shape: Shape, { concurrency }: PlaySettings): FlowSystem {
  const { flow } = shape;
  const handles = new Map<number, RunHandle>();
  const place = placesOf(shape);
  return {
    waits: true,
    jobs: shape.jobs,
    prepare: async () => undefined,
    async start(runs) {
      const options = (_: unknown, index: number) => ({ id: `${RUN}${runs[index]}` });
      const started = await longshore.flows.startMany(flow, runs.map(shape.input), options);
      for (const [index, run] of runs.entries()) handles.set(run, started[index] as RunHandle);
    },
    async result(run) {
      const handle = handles.get(run) as RunHandle;
      return (await handle.result()) === shape.result(run);
    },
    async work(marks) {
      const timed = shape.tasks.map(
        (task): AnyTask => ({
          ...task,
          run(context) {
            const run = runOf(context);
            const step = place(context);
            marks.begin(run, step);
            const result: unknown = task.run(context);
            marks.end(run, step);
            return result;
          },
        }),
      );
      const worker = longshore.worker({ tasks: timed, concurrency });
      await worker.start();
      return worker;
    },
    counts: () => countJobs(longshore),
    close: async () => undefined,
  };
}

const RUN = 'run-';

/** Runs have their numbers as ids, and those that are steps of others begin with theirs. */
function runOf({ flow }: JobContext<unknown>): number {
  return Number.parseInt(flow?.run.slice(RUN.length) ?? '', 10);
}

/** Which step a job is: the only one of its task, or the one its input names. */
function placesOf({ flow, graph }: Shape): (context: JobContext<unknown>) => number {
  const byTask = new Map<string, number>();
  const byName = new Map(graph.map(({ name }, index) => [name, index]));
  for (const [index, step] of flow.data.steps.entries())
    if ('task' in step) byTask.set(step.task, byTask.has(step.task) ? -1 : index);
  return ({ task, input }) => {
    const only = byTask.get(task) ?? -1;
    return only >= 0 ? only : (byName.get((input as { name: string }).name) ?? -1);
  };
}
