/** Durable steps in one handler: what is done is kept, a sleep and a wait hold no slot, and a signal goes on with it. */
import { z } from 'zod';
import { connect, defineTask } from '../src/index.ts'; // in your project: from 'longshore'

let isBankOpen = false;

const order = defineTask({
  name: 'order',
  input: z.object({ item: z.string() }),
  backoff: 10,
  async run({ input, attempt, step, sleep, waitFor }) {
    // Kept: however often the handler runs, there is one reservation.
    const { shelf } = await step('reserve', () => {
      console.log(`reserving a ${input.item}`);
      return { shelf: 3 };
    });

    // The attempt ends here, uncharged; the handler runs again when the time or the signal has come.
    await sleep('time to reconsider', 50);
    const approval = await waitFor('approval', {
      schema: z.object({ by: z.string() }),
      timeoutMs: 60_000,
    });
    if (approval === null) return 'nobody approved it';

    const receipt = await step('charge', () => {
      console.log(`charging, attempt ${attempt}`);
      if (!isBankOpen) throw new Error('the bank is closed');
      return 4711;
    });
    return `from shelf ${shelf}, approved by ${approval.by}, receipt ${receipt}`;
  },
});

// The first attempt to charge fails on purpose, which opens the bank.
const longshore = await connect('memory:', { logger: false });
longshore.on('job.retried', () => {
  isBankOpen = true;
});
const worker = longshore.worker({ tasks: [order] });
await worker.start();

const job = await longshore.enqueue(order, { item: 'lamp' });
await longshore.jobs.signal(job.id, 'approval', { by: 'Ada' }); // before the wait: it is kept
console.log(await job.result());

await longshore.close();
