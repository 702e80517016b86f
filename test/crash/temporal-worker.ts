/** A worker for Temporal that tests kill: `temporal-worker.ts ADDRESS QUEUE CODE_PATH`; says `polls` when it does. */
import { setTimeout as delay } from 'node:timers/promises';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { temporalWorker } from '../../src/connectors/temporal/index.ts';
import { defineTask } from '../../src/index.ts';

const [address = '', taskQueue = '', codePath = ''] = process.argv.slice(2);

/** Long enough that some run whenever the process is killed. */
const TAKES_MS = 50;

const mark = defineTask<number, number>({
  name: 'mark',
  run: async ({ input }) => {
    await delay(TAKES_MS);
    return input;
  },
});

const silent = { log: () => undefined };
Runtime.install({
  shutdownSignals: [],
  logger: new DefaultLogger('ERROR', silent.log),
  telemetryOptions: { logging: { forward: {} } },
});
const worker = temporalWorker({
  connection: { address },
  taskQueue,
  workflowBundle: { codePath },
  activities: { mark },
  tuner: { kind: 'fixed', workflows: 10, activities: 10, localActivities: 2 },
  retryMaxMs: 500,
  logger: false,
});
process.once('disconnect', () => process.exit());
await worker.start();
process.send?.('polls');
