import { agent } from '../kit/agent.ts';
import { measured } from '../kit/hosted-task.ts';
import { type Kind, kindOf } from '../kit/kinds.ts';
import type { JobHandler, JobInput, System } from '../kit/system.ts';
import { connect, defineTask, type JobContext, type Longshore } from '../longshore.ts';
import { countJobs } from '../workload.ts';

/** Longshore as a system of the kit: a task without a schema or a timeout in the queue `default`. */
agent((settings): System => {
  const { url, concurrency, keeps, timesEnds } = settings;
  const kind = kindOf(settings.kind);
  let longshore: Longshore;
  const prepare = async (): Promise<void> => {
    longshore = await connect(url);
    if (!keeps) await longshore.queues.setRetention('default', { completed: { ageMs: null, count: 0 } });
  };
  const counts = async (): Promise<Record<string, number>> => {
    const { completed, ...others } = await countJobs(longshore);
    return keeps ? { ...others, completed: completed ?? 0 } : others;
  };
  return {
    prepare,
    enqueue: (input) => longshore.enqueue(TASK, input, kind.options?.(input.n) ?? {}),
    async enqueueAndAwait(input) {
      const handle = await longshore.enqueue(TASK, input);
      return (await handle.result()) as number;
    },
    enqueueMany: (inputs) => enqueueMany(longshore, kind, inputs),
    async work(handler, ended) {
      const numbers = new Map<string, number>();
      const task = defineTask({
        name: TASK,
        run: (context) => {
          const { n } = context.input as JobInput;
          if (timesEnds) numbers.set(context.id, n);
          return runKind(kind, context, handler);
        },
      });
      const stopListening = timesEnds
        ? longshore.on('job.completed', ({ id }) => {
            const n = numbers.get(id);
            if (n !== undefined) ended(n);
          })
        : () => undefined;
      const { strategy, hosts, leaseMs } = settings;
      const worker = longshore.worker({
        tasks: [strategy === 'async' ? task : measured],
        concurrency,
        leaseMs,
        strategy,
        threads: hosts,
        processes: hosts,
      });
      await worker.start();
      return {
        async stop() {
          stopListening();
          await worker.stop();
        },
      };
    },
    async unfinished() {
      const { completed: _, ...others } = await counts();
      return Object.values(others).reduce((sum, jobs) => sum + jobs, 0);
    },
    counts,
    async purge() {
      await longshore.queues.obliterate('default');
      if (!keeps) await longshore.queues.setRetention('default', { completed: { ageMs: null, count: 0 } });
    },
    close: () => longshore.close(),
  };
});

const TASK = measured.name;

function runKind(kind: Kind, context: JobContext<unknown>, handler: JobHandler): unknown {
  const input = context.input as JobInput;
  if (kind.before === undefined && kind.result === undefined) return handler(input);
  return (async () => {
    await kind.before?.(context);
    await handler(input);
    return kind.result?.();
  })();
}

async function enqueueMany(longshore: Longshore, kind: Kind, inputs: readonly JobInput[]): Promise<void> {
  const { options } = kind;
  if (options === undefined) await longshore.enqueueMany(TASK, inputs);
  else await Promise.all(inputs.map((input) => longshore.enqueue(TASK, input, options(input.n))));
}
