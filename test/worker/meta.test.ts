import assert from 'node:assert/strict';
import { defineTask, type KeptMeta } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { nextEvent, onEachStore } from '../stage.ts';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const META = { correlationId: 'order/7', traceparent: TRACEPARENT, tags: ['a', 'b'] };
const NONE = {
  correlationId: null,
  traceparent: null,
  tracestate: null,
  tags: [],
  schedule: null,
  scheduledAt: null,
  backoff: null,
  timeoutMs: null,
};
const SEEN = { ...NONE, ...META };

onEachStore('a handler and whoever looks see what was given as meta', async ({ connect }) => {
  const longshore = await connect();
  const seen: KeptMeta[] = [];
  const task = defineTask({ name: 'task', run: ({ meta }) => void seen.push(meta) });
  const job = await longshore.enqueue(task, 1, { meta: META });
  const plain = await longshore.enqueue(task, 2);
  assert.deepEqual((await longshore.jobs.get(job.id))?.meta, SEEN);
  await longshore.worker({ tasks: [task], serial: true }).runUntilIdle();
  assert.deepEqual(seen, [SEEN, NONE]);
  const { jobs } = await longshore.jobs.list();
  assert.deepEqual(
    jobs.map(({ id, meta }) => [id, meta]),
    [
      [plain.id, null],
      [job.id, SEEN],
    ],
  );
});

onEachStore('a batch may have meta of its own for each input', async ({ connect }) => {
  const longshore = await connect();
  const task = defineTask({ name: 'task', run: ({ input, meta }) => [input, meta.correlationId] });
  const inputs = Array.from({ length: 40 }, (_, index) => index);
  const jobs = await longshore.enqueueMany(task, inputs, (input) =>
    Number(input) % 2 === 0 ? {} : { meta: { correlationId: `request ${input}` } },
  );
  await longshore.worker({ tasks: [task] }).runUntilIdle();
  const results = await Promise.all(jobs.map((job) => job.result()));
  assert.deepEqual(
    results,
    inputs.map((input) => [input, input % 2 === 0 ? null : `request ${input}`]),
  );
});

onEachStore("a job's own backoff wins over its task's, in every attempt", async ({ connect }) => {
  const longshore = await connect();
  const delays: number[] = [];
  longshore.on('job.retried', ({ delayMs }) => delays.push(delayMs));
  const task = defineTask({
    name: 'task',
    attempts: 3,
    backoff: 3_600_000,
    run: () => {
      throw new Error('no');
    },
  });
  const job = await longshore.enqueue(task, 1, { backoff: { type: 'linear', delayMs: 0.5, jitter: 0 } });
  const worker = longshore.worker({ tasks: [task], pollMs: 10 });
  await worker.start();
  assert.equal((await job.ended()).state, 'failed');
  await worker.stop();
  assert.deepEqual(delays, [1, 1]);
  assert.deepEqual((await longshore.jobs.get(job.id))?.meta?.backoff, {
    type: 'linear',
    delayMs: 0.5,
    jitter: 0,
  });
});

onEachStore("a job's own timeout wins over its task's", async ({ connect }) => {
  const clock = new FakeClock();
  const longshore = await connect({ clock });
  const started = nextEvent(longshore, 'job.started');
  const task = defineTask({
    name: 'slow',
    timeoutMs: 60_000,
    attempts: 1,
    run: ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  });
  const worker = longshore.worker({ tasks: [task], concurrency: 1 });
  await worker.start();
  const job = await longshore.enqueue(task, null, { timeoutMs: 1_000 });
  await started;
  const failed = nextEvent(longshore, 'job.failed');
  await clock.advance(1_000);
  assert.match((await failed).error.message, /timeout of 1000 ms/);
  assert.equal((await job.ended()).state, 'failed');
});

onEachStore('what cannot be kept is refused, and adds nothing', async ({ connect }) => {
  const longshore = await connect();
  for (const [options, message] of [
    [{ backoff: () => 5 }, /backoff is function backoff; .* a function cannot be stored/],
    [{ timeoutMs: 0 }, /timeoutMs is 0/],
    [{ meta: { tags: new Array(17).fill('a') } }, /meta\.tags is an array of 17/],
    [{ meta: { orderId: 5 } }, /meta\.orderId is 5; expected to be left out/],
  ] as const) {
    await assert.rejects(longshore.enqueue('task', 1, options as never), { code: 'OPTION_INVALID', message });
    await assert.rejects(longshore.enqueueMany('task', [1], options as never), {
      code: 'OPTION_INVALID',
      message,
    });
  }
  assert.deepEqual((await longshore.jobs.list()).jobs, []);
});
