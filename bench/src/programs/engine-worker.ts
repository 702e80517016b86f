import { fileURLToPath } from 'node:url';
import { KINDS } from '../engines/engine.ts';
import { topicOf } from '../engines/operaton.ts';
import { tasks } from '../engines/tasks.ts';
import { engineWorker } from '../engines/worker-side.ts';
import { operatonWorker } from '../longshore-operaton.ts';
import { temporalRuntime, temporalWorker } from '../longshore-temporal.ts';

const EXTENSION = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const WORKFLOWS = fileURLToPath(new URL(`../engines/workflows${EXTENSION}`, import.meta.url));

/** Longshore's worker for a workflow engine. */
engineWorker(async ({ engine, url, queue, slots, targetCpu, lockMs }, marks) => {
  if (engine === 'temporal') await temporalRuntime({ logger: QUIET });
  const worker =
    engine === 'temporal'
      ? temporalWorker({
          connection: { address: url },
          taskQueue: queue,
          workflowsPath: WORKFLOWS,
          activities: tasks,
          tuner:
            slots === null
              ? { kind: 'longshore', targetCpu, activities: { min: 1, max: 100 } }
              : { kind: 'fixed', activities: slots },
          abortGraceMs: 500,
          logger: false,
        })
      : operatonWorker({
          url,
          topics: Object.fromEntries(
            KINDS.map((kind) => [
              topicOf(queue, kind),
              {
                task: tasks[kind],
                input: ({ variables }) => JSON.parse(String(variables.input?.value)),
                variables: ['input'],
                into: 'result',
              },
            ]),
          ),
          lockMs,
          ...(slots === null ? { tuner: { targetCpu, slotsMin: 1, slotsMax: 100 } } : { concurrency: slots }),
          logger: false,
        });
  worker.on('job.started', () => marks.started());
  worker.on('job.completed', ({ correlationId }) => marks.ended(correlationId));
  // Operaton tells nobody, and whoever waits for the work would wait for ever.
  if (engine === 'operaton') worker.on('job.failed', ({ error }) => setImmediate(() => fail(error)));
  await worker.start();
  return () => worker.stop();
});

function fail({ message }: { readonly message: string }): never {
  throw new Error(`A work failed: ${message}`);
}

const tell = (_facts: object, text: string): void => void process.stderr.write(`${text}\n`);
/** What goes well is not worth a line here. */
const QUIET = {
  error: tell,
  warn: tell,
  info: () => undefined,
  debug: () => undefined,
  isLevelEnabled: (level: string) => ['error', 'warn'].includes(level),
};
