import { connect, type WorkerSettings } from '../../../src/index.ts';
import { say } from './say.ts';
import { tasks } from './tasks.ts';

/**
 * A worker process that has to come to its end by itself: told so on its input, it stops the worker and closes the
 * connection, and whatever still holds the process then keeps it from ending.
 */
const { url, settings } = JSON.parse(process.argv[2] ?? '') as {
  url: string;
  settings: Partial<WorkerSettings>;
};
const longshore = await connect(url);
longshore.on('job.completed', ({ id, attempt }) => say({ say: 'settled', id, attempt, as: 'completed' }));
longshore.on('job.failed', ({ id, attempt }) => say({ say: 'settled', id, attempt, as: 'failed' }));
longshore.on('job.lost', ({ id, attempt }) => say({ say: 'lost', id, attempt }));
const worker = longshore.worker({ tasks, ...settings });
await worker.start();
process.stdin.once('data', async () => {
  process.stdin.destroy();
  await worker.stop();
  await longshore.close();
});
// The test's end is the program's.
process.stdin.once('end', () => process.exit(0));
say({ say: 'ready' });
