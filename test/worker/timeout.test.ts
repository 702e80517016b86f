import assert from 'node:assert/strict';
import { defineTask, type JobContext, LongshoreError } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { eventually, Gate, nextEvent, onEachStore, record, type Stage } from '../stage.ts';

/** A worker on a clock that only the test moves, and one running job with a timeout of 1,000 ms. */
async function runningJob(
  { connect }: Stage,
  run: (context: JobContext<unknown>) => unknown,
  options: { attempts?: number; abortGraceMs?: number } = {},
) {
  const clock = new FakeClock();
  const longshore = await connect({ clock });
  const started = nextEvent(longshore, 'job.started');
  const task = defineTask({
    name: 'slow',
    timeoutMs: 1_000,
    attempts: options.attempts ?? 1,
    backoff: 60_000,
    run,
  });
  const worker = longshore.worker({
    tasks: [task],
    concurrency: 1,
    abortGraceMs: options.abortGraceMs ?? 500,
    leaseMs: 30_000,
  });
  await worker.start();
  const job = await longshore.enqueue(task, null);
  await started;
  return { clock, longshore, worker, job, task };
}

onEachStore('a handler sees its signal abort at the timeout, with a reason that says so', async (stage) => {
  const reasons: unknown[] = [];
  const { clock, longshore, job } = await runningJob(stage, ({ signal }) => {
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        reasons.push(signal.reason);
        reject(signal.reason);
      });
    });
  });
  const failed = nextEvent(longshore, 'job.failed');
  await clock.advance(999);
  assert.deepEqual(reasons, []);
  await clock.advance(1);
  await failed;
  const [reason] = reasons as LongshoreError[];
  assert.ok(reason instanceof LongshoreError);
  assert.equal(reason.code, 'JOB_TIMED_OUT');
  const kept = await longshore.jobs.get(job.id);
  assert.equal(kept?.errors[0]?.code, 'JOB_TIMED_OUT');
  assert.match(kept?.errors[0]?.message ?? '', /timeout of 1000 ms/);
});

onEachStore('a timed out attempt is retried while attempts are left', async (stage) => {
  const { clock, longshore } = await runningJob(stage, rejectOnAbort, { attempts: 2 });
  const retried = nextEvent(longshore, 'job.retried');
  await clock.advance(1_000);
  const { error, delayMs } = await retried;
  assert.equal(error.code, 'JOB_TIMED_OUT');
  assert.equal(delayMs, 60_000);
});

onEachStore('job.slow is emitted once, when 80 % of the timeout have passed', async (stage) => {
  const gate = new Gate();
  const { clock, longshore, job } = await runningJob(stage, () => gate.wait());
  const slow = record(longshore, 'job.slow');
  await clock.advance(799);
  assert.equal(slow.length, 0);
  await clock.advance(100);
  assert.deepEqual(
    slow.map(({ event }) => event),
    [
      {
        id: job.id,
        queue: 'default',
        task: 'slow',
        correlationId: job.id,
        attempt: 1,
        runMs: 800,
        timeoutMs: 1_000,
      },
    ],
  );
  gate.open();
  await job.ended();
});

onEachStore('a job that ends in time leaves no timer behind', async (stage) => {
  const gate = new Gate();
  const { clock, longshore, job, worker } = await runningJob(stage, () => gate.wait());
  gate.open();
  await job.result();
  const slow = record(longshore, 'job.slow', 'job.abandoned');
  await clock.advance(5_000);
  assert.deepEqual(slow, []);
  assert.equal(worker.tally.completed, 1);
});

onEachStore('a value returned after the timeout counts as completed', async (stage) => {
  const { clock, job } = await runningJob(stage, ({ signal }) => {
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve('saved what was there')));
  });
  await clock.advance(1_000);
  assert.equal(await job.result(), 'saved what was there');
});

onEachStore(
  'a handler that ignores its signal is abandoned after the grace and its slot given away',
  async (stage) => {
    const gate = new Gate();
    const { clock, longshore, worker, job, task } = await runningJob(
      stage,
      async ({ input }) => {
        if (input === 'next') return 'ran';
        await gate.wait();
        return 'too late';
      },
      { abortGraceMs: 500 },
    );
    const abandoned = nextEvent(longshore, 'job.abandoned');
    const failed = nextEvent(longshore, 'job.failed');
    await clock.advance(1_000);
    const next = await longshore.enqueue(task, 'next');
    assert.equal(worker.running, 1);
    await clock.advance(500);
    const { id, reason } = await abandoned;
    assert.equal(id, job.id);
    assert.equal(reason, 'JOB_TIMED_OUT');
    await failed;
    assert.equal(await next.result(), 'ran');
    gate.open();
    await eventually(() => worker.running === 0);
    const kept = await longshore.jobs.get(job.id);
    assert.equal(kept?.state, 'failed');
    assert.equal(kept?.result, undefined);
    assert.deepEqual(worker.tally, {
      ...{ completed: 1, retried: 0, failed: 1, cancelled: 0, snoozed: 0, released: 0, lost: 0 },
    });
  },
);

onEachStore('progress and log lines of an abandoned attempt are not written', async (stage) => {
  const gate = new Gate();
  const said = Promise.withResolvers<void>();
  const { clock, longshore, job } = await runningJob(stage, async ({ progress, log }) => {
    await gate.wait();
    progress(1);
    log('still here');
    said.resolve();
  });
  const failed = nextEvent(longshore, 'job.failed');
  await clock.advance(1_500);
  await failed;
  gate.open();
  await said.promise;
  await clock.advance(1_000);
  const kept = await longshore.jobs.get(job.id);
  assert.equal(kept?.progress, undefined);
  assert.deepEqual(kept?.logs, []);
});

onEachStore('the error thrown because of a timeout is kept as its cause', async (stage) => {
  const { clock, longshore, job } = await runningJob(stage, ({ signal }) => {
    return new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(new Error('the download stopped half way'))),
    );
  });
  const failed = nextEvent(longshore, 'job.failed');
  await clock.advance(1_000);
  await failed;
  const kept = await longshore.jobs.get(job.id);
  assert.match(kept?.errors[0]?.stack ?? '', /caused by: Error: the download stopped half way/);
});

function rejectOnAbort({ signal }: JobContext<unknown>): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}
