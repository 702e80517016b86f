/** Three ways to watch: listeners of this connection, the process-wide diagnostics channels, and what a job keeps. */
import { subscribe } from 'node:diagnostics_channel';
import { connect, defineTask } from '../src/index.ts'; // in your project: from 'longshore'

const resize = defineTask({
  name: 'resize',
  backoff: 10,
  run({ attempt, log, progress }) {
    log('opening', { attempt });
    progress({ percent: 50 });
    if (attempt === 1) throw new Error('out of luck');
    return 'resized';
  },
});

const longshore = await connect('memory:');

// Typed listeners. They run on the hot path: keep them short.
longshore.on('job.retried', ({ task, attempt, error, delayMs }) =>
  console.log(`${task} failed at attempt ${attempt} (${error.message}), again in ${delayMs} ms`),
);
const stop = longshore.on('job.completed', ({ task, attempt }) =>
  console.log(`${task} completed at attempt ${attempt}`),
);

// For exporters of metrics and traces: every connection in this process, without touching its code.
let calls = 0;
subscribe('longshore:store.called', () => {
  calls += 1;
});

const worker = longshore.worker({ tasks: [resize] });
await worker.start();
const job = await longshore.enqueue(resize, null);
await job.result();
stop();

const { logs, progress, errors } = (await longshore.jobs.get(job.id)) ?? {};
console.log('log:', logs?.map(({ message, data }) => `${message} ${JSON.stringify(data)}`).join(', '));
console.log('progress:', progress, 'errors kept:', errors?.length, 'store was called:', calls > 0);

await longshore.close();
