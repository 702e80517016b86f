/** A worker as a program, for tests that kill it: `node worker-program.ts URL LOCK_MS`. */
import { camundaWorker } from '../../src/connectors/camunda/index.ts';
import { defineTask } from '../../src/index.ts';

const [url = '', lockMs = ''] = process.argv.slice(2);
const work = defineTask<{ n: number }>({ name: 'work', run: ({ input }) => ({ done: input.n }) });
const worker = camundaWorker({ url, jobTypes: { work }, lockMs: Number(lockMs), pollMs: 300, logger: false });
process.once('SIGTERM', () => {
  void worker.stop().then(() => process.send?.(worker.counts, () => process.exit()));
});
process.once('disconnect', () => process.exit());
await worker.start();
process.send?.('started');
