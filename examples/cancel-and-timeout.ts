/** Stopping a handler from outside. Inline handlers are asked, by their signal; pass it on to whatever they wait for. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, defineTask, type LongshoreError } from '../src/index.ts'; // in your project: from 'longshore'

const slow = defineTask({
  name: 'slow',
  attempts: 1,
  timeoutMs: 100,
  run: ({ signal }) => sleep(60_000, 'never', { signal }),
});

const patient = defineTask({
  name: 'patient',
  async run({ signal, log }) {
    await sleep(60_000, null, { signal }).catch(() => log('cleaning up'));
    signal.throwIfAborted();
  },
});

// Its job fails on purpose, which needs no line on standard error.
const longshore = await connect('memory:', { logger: false });
const worker = longshore.worker({ tasks: [slow, patient] });
await worker.start();

const late = await longshore.enqueue(slow, null);
await late.result().catch((error: LongshoreError) => console.log(error.code, 'after one attempt'));
const [reason] = (await longshore.jobs.get(late.id))?.errors ?? [];
console.log(reason?.code);

// Cancelling works from any process, in any state before the end.
const running = new Promise((resolve) => longshore.on('job.started', resolve));
const unwanted = await longshore.enqueue(patient, null);
await running;
await longshore.jobs.cancel(unwanted.id, { by: 'ada', why: 'the customer left' });
await unwanted.result().catch((error: LongshoreError) => console.log(error.code));
const { logs, audit } = (await longshore.jobs.get(unwanted.id)) ?? {};
console.log(logs?.[0]?.message, '/', audit?.[0]?.action, 'by', audit?.[0]?.by, 'because', audit?.[0]?.why);

await longshore.close();
