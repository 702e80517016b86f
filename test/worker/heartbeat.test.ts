import assert from 'node:assert/strict';
import { defineTask, type JobContext } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { advanceUntil, Gate, nextEvent, onEachStore, record, type Stage } from '../stage.ts';

/** A worker on a clock that only the test moves, and one running job that may be silent for 1,000 ms. */
async function runningJob(
  { connect }: Stage,
  run: (context: JobContext<unknown>) => unknown,
  options: { attempts?: number; timeoutMs?: number } = {},
) {
  const clock = new FakeClock();
  const longshore = await connect({ clock });
  const started = nextEvent(longshore, 'job.started');
  const task = defineTask({
    name: 'long',
    heartbeatTimeoutMs: 1_000,
    attempts: 1,
    backoff: 0,
    run,
    ...options,
  });
  const worker = longshore.worker({ tasks: [task], abortGraceMs: 500, leaseMs: 30_000 });
  await worker.start();
  const job = await longshore.enqueue(task, null);
  await started;
  return { clock, longshore, worker, job };
}

onEachStore('a handler that is silent for too long is stopped, with an error that says so', async (stage) => {
  const { clock, longshore, job } = await runningJob(stage, rejectOnAbort);
  const failed = nextEvent(longshore, 'job.failed');
  await clock.advance(999);
  assert.equal((await longshore.jobs.get(job.id))?.state, 'running');
  await clock.advance(1);
  const { error } = await failed;
  assert.equal(error.code, 'JOB_HEARTBEAT_MISSED');
  assert.match(
    error.message,
    /^Attempt 1 of job .* \(task 'long'\) gave no sign of life for its heartbeat timeout of 1000 ms\./,
  );
});

onEachStore('a missed heartbeat is retried like any failure', async (stage) => {
  const { clock, longshore, job } = await runningJob(
    stage,
    (context) => (context.attempt === 1 ? rejectOnAbort(context) : 'second time'),
    { attempts: 2 },
  );
  const retried = nextEvent(longshore, 'job.retried');
  await clock.advance(1_000);
  assert.equal((await retried).error.code, 'JOB_HEARTBEAT_MISSED');
  assert.equal(await advanceUntil(clock, job.result()), 'second time');
});

for (const [what, give] of [
  ['heartbeat', ({ heartbeat }: JobContext<unknown>) => heartbeat()],
  ['heartbeat with details', ({ heartbeat }: JobContext<unknown>) => heartbeat({ at: 1 })],
  ['progress', ({ progress }: JobContext<unknown>) => progress(0.5)],
] as const) {
  onEachStore(
    `${what} keeps an attempt going, and its end is noticed within a quarter more`,
    async (stage) => {
      let context: JobContext<unknown> | undefined;
      const { clock, longshore, job } = await runningJob(stage, (given) => {
        context = given;
        return rejectOnAbort(given);
      });
      const failed = record(longshore, 'job.failed');
      for (let times = 0; times < 10; times += 1) {
        await clock.advance(900);
        give(context as JobContext<unknown>);
      }
      await clock.advance(999);
      assert.equal((await longshore.jobs.get(job.id))?.state, 'running');
      assert.deepEqual(failed, []);
      const ended = nextEvent(longshore, 'job.failed');
      await clock.advance(251);
      assert.equal((await ended).error.code, 'JOB_HEARTBEAT_MISSED');
    },
    ['memory'],
  );
}

onEachStore(
  'the timeout of the attempt goes on beside it, and neither leaves a timer behind',
  async (stage) => {
    const gate = new Gate();
    let beat = (): void => undefined;
    const { clock, longshore, job } = await runningJob(
      stage,
      (context) => {
        beat = () => context.heartbeat();
        return Promise.race([gate.wait(), rejectOnAbort(context)]);
      },
      { timeoutMs: 2_500 },
    );
    const failed = nextEvent(longshore, 'job.failed');
    for (let times = 0; times < 5; times += 1) {
      await clock.advance(500);
      beat();
    }
    assert.equal((await failed).error.code, 'JOB_TIMED_OUT');
    const later = record(longshore, 'job.abandoned', 'job.slow');
    await clock.advance(10_000);
    assert.deepEqual(later, []);
    assert.equal((await longshore.jobs.get(job.id))?.errors.length, 1);
    gate.open();
  },
);

onEachStore(
  'the details last given are there for the next attempt, whatever ended this one',
  async ({ connect }) => {
    const longshore = await connect();
    const seen: unknown[] = [];
    const task = defineTask({
      name: 'resumes',
      attempts: 3,
      backoff: 0,
      run: async ({ attempt, heartbeat, progress, lastProgress }) => {
        seen.push(await lastProgress());
        for (let row = 0; row < 100; row += 1) heartbeat({ row, attempt });
        if (attempt === 2) progress('two');
        seen.push(await lastProgress());
        if (attempt < 3) throw new Error('once more');
      },
    });
    const { id } = await longshore.enqueue(task, null);
    await longshore.worker({ tasks: [task] }).runUntilIdle();
    const [one, three] = [1, 3].map((attempt) => ({ row: 99, attempt }));
    assert.deepEqual(seen, [undefined, one, one, 'two', 'two', three]);
    assert.deepEqual((await longshore.jobs.get(id))?.progress, three);
  },
);

function rejectOnAbort({ signal }: JobContext<unknown>): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}
