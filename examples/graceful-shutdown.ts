/** A worker process that ends well: running jobs may finish, the others go back to the line for somebody else. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, defineTask } from '../src/index.ts'; // in your project: from 'longshore'

const work = defineTask({
  name: 'work',
  async run({ input, signal }) {
    await sleep(input as number, null, { signal });
    return 'done';
  },
});

const longshore = await connect('sqlite:jobs.db');
const jobs = await longshore.enqueueMany(work, [500, 500, 60_000, 500]);

const worker = longshore.worker({ tasks: [work], concurrency: 3 });
const threeStarted = new Promise<void>((resolve) => {
  longshore.on('job.started', () => worker.running === 3 && resolve());
});
await worker.start();
await threeStarted;

// What a process manager does at a deploy:
setImmediate(() => process.kill(process.pid, 'SIGTERM'));
await once(process, 'SIGTERM');

// Claims nothing more and waits 2 s; what still runs then sees its signal abort and goes back, uncharged.
await worker.stop({ graceMs: 2_000 });
for (const { id } of jobs) {
  const job = await longshore.jobs.get(id);
  console.log(`${job?.input} ms: ${job?.state}, attempts used: ${job?.attempt}`);
}

await longshore.close();
