/** A worker as a process of its own, for tests that kill it. Its topic is the first argument; it prints its tally when it has stopped. */
import { setTimeout as delay } from 'node:timers/promises';
import { operatonWorker } from '../../../src/connectors/operaton/index.ts';
import { defineTask } from '../../../src/index.ts';

const task = defineTask<{ ms?: number }, null>({
  name: 'count',
  attempts: 1,
  run: async ({ input, signal }) => {
    await delay(input.ms ?? 5, null, { signal });
    return null;
  },
});

const worker = operatonWorker({
  topics: { [process.argv[2] ?? '']: task },
  lockMs: 2_000,
  pollMs: 500,
  concurrency: 5,
  graceMs: 5_000,
  logger: false,
});
process.once('SIGTERM', async () => {
  await worker.stop();
  process.stdout.write(`${JSON.stringify(worker.tally)}\n`);
});
await worker.start();
process.stdout.write('started\n');
