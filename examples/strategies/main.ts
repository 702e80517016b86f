/** Handlers in threads and processes. The tasks are in a file of their own, which those import. */
import { connect, LongshoreError } from '../../src/index.ts';
import { fragile, primes } from './tasks.ts';

const longshore = await connect('memory:', { logger: false });
const worker = longshore.worker({ tasks: [primes, fragile] });
await worker.start();

const counts = await longshore.enqueueMany(primes, [1_000, 10_000, 100_000]);
for (const count of counts) console.log(await count.result());

const broken = await longshore.enqueue(fragile, null);
await broken.result().catch(async (error: unknown) => {
  const [kept] = (await longshore.jobs.get(broken.id))?.errors ?? [];
  console.log(error instanceof LongshoreError ? error.code : error, kept?.code);
});
for (const { task, lane, reason } of worker.profiles()) console.log(`${task}: ${lane} (${reason})`);
await longshore.close();
