import { z } from 'zod';
import { connect, defineTask } from '../src/index.ts'; // in your project: from 'longshore'

export const thumbnail = defineTask({
  name: 'thumbnail',
  input: z.object({ path: z.string(), width: z.number().int().positive() }),
  attempts: 5,
  backoff: { type: 'exponential', delayMs: 1_000, maxMs: 60_000, jitter: 0.2 },
  timeoutMs: 30_000,
  async run({ input, attempt, signal, progress, log }) {
    signal.throwIfAborted(); // aborts on timeout, cancel and shutdown; pass it on to fetch, streams, child processes
    log(`attempt ${attempt}`, { path: input.path });
    progress(50);
    return { bytes: input.width * 100 }; // your image library goes here
  },
});

const longshore = await connect('sqlite:jobs.db'); // one file, made if it is missing; memory: for tests
const worker = longshore.worker({ tasks: [thumbnail], concurrency: 10 }); // here, or in other processes
await worker.start();

const job = await longshore.enqueue(thumbnail, { path: 'a.png', width: 200 }, { priority: -1 });
const { bytes } = await job.result(); // typed: the task says it is a number
console.log(`a.png takes ${bytes} bytes`);

await worker.stop({ graceMs: 10_000 });
await longshore.close();
