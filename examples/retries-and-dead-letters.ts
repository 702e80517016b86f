/** What becomes of a job whose handler fails: it is retried, and in the end kept as a dead letter that can be redriven. */
import {
  connect,
  defineTask,
  type LongshoreError,
  RetryAfterError,
  UnrecoverableError,
} from '../src/index.ts'; // in your project: from 'longshore'

let bankIsOpen = false;

const transfer = defineTask({
  name: 'transfer',
  attempts: 3, // the first run counts
  backoff: { type: 'fibonacci', delayMs: 10 },
  run({ input, attempt }) {
    const { amount } = input as { amount: number };
    if (amount < 0) throw new UnrecoverableError('a negative amount will not become positive'); // no retry
    if (amount > 100 && attempt === 1) throw new RetryAfterError('the bank asks for patience', 20); // its own wait
    if (!bankIsOpen) throw new Error('the bank is closed'); // retried, after the backoff
    return { amount };
  },
});

// Its job fails on purpose, which needs no line on standard error.
const longshore = await connect('memory:', { logger: false });
const worker = longshore.worker({ tasks: [transfer] });
await worker.start();

const negative = await longshore.enqueue(transfer, { amount: -1 });
await negative
  .result()
  .catch((error: LongshoreError) => console.log(error.code, (error.cause as Error).message));

const large = await longshore.enqueue(transfer, { amount: 500 });
await large.ended();
const detail = await longshore.jobs.get(large.id);
console.log(
  detail?.state,
  detail?.errors.map(({ attempt, message }) => `${attempt}: ${message}`),
);

bankIsOpen = true;
await longshore.jobs.redrive(large.id, { by: 'ada', why: 'the bank has opened' });
console.log('redriven:', await large.result());

const dead = await longshore.jobs.list({ state: 'failed' });
console.log(
  'still dead:',
  dead.jobs.map(({ input }) => input),
);

await longshore.close(); // stops the worker as well
