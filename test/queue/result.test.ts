import assert from 'node:assert/strict';
import { defineTask, LongshoreError, UnrecoverableError } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { advanceUntil, Gate, nextEvent, onEachStore, SHARED_KINDS } from '../stage.ts';

const task = defineTask({
  name: 'task',
  backoff: 0,
  run: ({ input }) => {
    if (input === 'fail') throw new UnrecoverableError('out of ink', { cause: new Error('no cartridge') });
    return { got: input };
  },
});
const tasks = [task];

onEachStore('a result comes back typed and decoded, before or after the job ended', async ({ connect }) => {
  const longshore = await connect();
  const job = await longshore.enqueue(task, 7);
  const early = job.result();
  await longshore.worker({ tasks }).runUntilIdle();
  assert.deepEqual(await early, { got: 7 });
  assert.deepEqual(await job.result(), { got: 7 });
  assert.deepEqual(await longshore.jobs.handle(job.id).result(), { got: 7 });
});

onEachStore(
  'a result comes back on another connection than the one that ran the job',
  async ({ connect }) => {
    const [here, there] = [await connect(), await connect()];
    await there.worker({ tasks }).start();
    assert.deepEqual(await (await here.enqueue(task, 1)).result(), { got: 1 });
  },
  SHARED_KINDS,
);

onEachStore('1,000 results are awaited at once', async ({ connect }) => {
  const longshore = await connect();
  const jobs = await longshore.enqueueMany(
    task,
    Array.from({ length: 1_000 }, (_, index) => index),
  );
  const results = Promise.all(jobs.map((job) => job.result()));
  await longshore.worker({ tasks }).start();
  assert.deepEqual(
    (await results).map(({ got }) => got),
    Array.from({ length: 1_000 }, (_, index) => index),
  );
});

onEachStore('a read of many results that fails is tried again for fewer', async ({ connectThrough }) => {
  const clock = new FakeClock();
  const reads: number[] = [];
  const longshore = await connectThrough(
    (store) => ({
      get: async (ids) => {
        reads.push(ids.length);
        if (ids.length > 3) throw new LongshoreError('STORE_UNAVAILABLE', 'too much for the time there is');
        return store.get(ids);
      },
    }),
    { clock },
  );
  const jobs = await longshore.enqueueMany(task, [0, 1, 2, 3, 4, 5, 6, 7]);
  await longshore.worker({ tasks }).runUntilIdle();
  const results = await advanceUntil(clock, Promise.all(jobs.map((job) => job.result())), 500);
  assert.deepEqual(
    results.map(({ got }) => got),
    [0, 1, 2, 3, 4, 5, 6, 7],
  );
  assert.deepEqual(reads.slice(0, 3), [8, 4, 2]);
});

onEachStore('large results are read a few at a time', async ({ connectThrough }) => {
  const reads: number[] = [];
  const longshore = await connectThrough((store) => ({
    get: async (ids) => {
      const jobs = await store.get(ids);
      reads.push(jobs.filter((job) => job?.result != null).length);
      return jobs;
    },
  }));
  const echo = defineTask({ name: 'task', run: ({ input }) => 'x'.repeat(input as number) });
  const jobs = await longshore.enqueueMany(echo, Array(12).fill(1_000_000));
  await longshore.worker({ tasks: [echo] }).runUntilIdle();
  assert.equal((await jobs[0]?.result())?.length, 1_000_000);
  await Promise.all(jobs.map((job) => job.result()));
  assert.ok(
    reads.slice(1).every((results) => results <= 5),
    String(reads),
  );
});

onEachStore('many may wait for one job', async ({ connect }) => {
  const longshore = await connect();
  const job = await longshore.enqueue(task, 1);
  const waits = Array.from({ length: 50 }, () => job.result());
  await longshore.worker({ tasks }).runUntilIdle();
  assert.equal((await Promise.all(waits)).length, 50);
});

onEachStore(
  'a failed job rejects with JOB_FAILED, whose cause is what the last attempt threw',
  async (stage) => {
    const longshore = await stage.connect();
    const job = await longshore.enqueue(task, 'fail');
    await longshore.worker({ tasks }).runUntilIdle();
    await assert.rejects(job.result(), (error) => {
      assert.ok(error instanceof LongshoreError);
      assert.equal(error.code, 'JOB_FAILED');
      assert.match(error.message, /failed at attempt 1: UnrecoverableError: out of ink/);
      const cause = error.cause as Error;
      assert.deepEqual([cause.name, cause.message], ['UnrecoverableError', 'out of ink']);
      assert.match(cause.stack ?? '', /result\.test\.ts[\s\S]*caused by: Error: no cartridge/);
      assert.equal(error.details.id, job.id);
      return true;
    });
    assert.equal((await job.ended()).state, 'failed');
  },
);

onEachStore('a wait ends after its time; the job goes on', async ({ connect }) => {
  const clock = new FakeClock();
  const longshore = await connect({ clock });
  const job = await longshore.enqueue(task, 1);
  const wait = job.result({ timeoutMs: 5_000 });
  const expected = assert.rejects(wait, { code: 'RESULT_TIMEOUT', message: /did not end within 5000 ms/ });
  await clock.advance(5_000);
  await expected;
  assert.equal((await longshore.jobs.get(job.id))?.state, 'ready');
  await assert.rejects(job.result({ timeoutMs: -1 }), { code: 'OPTION_INVALID' });
});

onEachStore('a wait ends with the reason of its signal', async ({ connect }) => {
  const longshore = await connect();
  const job = await longshore.enqueue(task, 1);
  const controller = new AbortController();
  const wait = job.result({ signal: controller.signal });
  const reason = new Error('the user went away');
  controller.abort(reason);
  await assert.rejects(wait, reason);
  await assert.rejects(job.result({ signal: AbortSignal.abort(reason) }), reason);
  const other = job.result();
  await longshore.worker({ tasks }).runUntilIdle();
  assert.deepEqual(await other, { got: 1 });
});

onEachStore('cancelled, removed and never known jobs are told apart', async ({ connect }) => {
  const longshore = await connect();
  const [cancelled, removed] = await longshore.enqueueMany(task, [1, 2]);
  assert.ok(cancelled && removed);
  const waits = [cancelled.result(), removed.result()];
  const expected = Promise.all([
    assert.rejects(waits[0] as Promise<unknown>, { code: 'JOB_CANCELLED' }),
    assert.rejects(waits[1] as Promise<unknown>, { code: 'JOB_UNKNOWN' }),
  ]);
  await longshore.jobs.cancel(cancelled.id);
  await longshore.jobs.remove(removed.id);
  await expected;
  await assert.rejects(longshore.jobs.handle('no-such-job').result(), {
    code: 'JOB_UNKNOWN',
    message: /no job no-such-job/,
  });
});

onEachStore(
  'where nothing is kept, a result cannot be fetched and the error says why',
  async ({ connect }) => {
    const longshore = await connect();
    await longshore.queues.setRetention('default', { completed: { ageMs: 0, count: null } });
    const job = await longshore.enqueue(task, 1);
    const tally = await longshore.worker({ tasks }).runUntilIdle();
    assert.equal(tally.completed, 1);
    await assert.rejects(job.result(), { code: 'JOB_UNKNOWN', message: /retention/ });
  },
);

onEachStore(
  'where nothing is kept, a result asked for before the end comes back from a worker of this connection',
  async ({ connect }) => {
    const longshore = await connect();
    const nothing = { ageMs: 0, count: null };
    await longshore.queues.setRetention('default', {
      completed: nothing,
      failed: nothing,
      cancelled: nothing,
    });
    const [good, bad, idle] = await longshore.enqueueMany(task, [7, 'fail', 8]);
    assert.ok(good && bad && idle);
    const wait = Promise.all([
      good.result().then((result) => assert.deepEqual(result, { got: 7 })),
      assert.rejects(bad.result(), {
        code: 'JOB_FAILED',
        message: /at attempt 1: UnrecoverableError: out of ink/,
      }),
      assert.rejects(idle.result(), { code: 'JOB_CANCELLED' }),
      assert.rejects(good.ended(), {
        code: 'JOB_UNKNOWN',
        message: /ended \(completed\).*keeps no such jobs/,
      }),
    ]);
    await longshore.jobs.cancel(idle.id);
    await longshore.worker({ tasks }).runUntilIdle();
    await wait;
    assert.deepEqual((await longshore.jobs.list()).jobs, [], 'nothing is kept');
  },
);

const NOTHING = { ageMs: 0, count: null };
const KEEPS_NOTHING = { completed: NOTHING, failed: NOTHING, cancelled: NOTHING };

onEachStore(
  'where nothing is kept, a result asked for before the end comes from a worker of another connection',
  async ({ connect }) => {
    const [here, there] = [await connect(), await connect()];
    await here.queues.setRetention('default', KEEPS_NOTHING);
    const gate = new Gate();
    const slow = defineTask({
      name: 'slow',
      attempts: 1,
      run: async ({ input }) => {
        await gate.wait();
        if (input === 'fail') throw new Error('out of ink');
        return { got: input };
      },
    });
    await there.worker({ tasks: [slow], concurrency: 3 }).start();
    const jobs = await here.enqueueMany(slow, ['✓', 'fail', 'x'.repeat(100_000)]);
    const seen = nextEvent(here, 'store.called', ({ verb }) => verb === 'get');
    const results = Promise.allSettled(jobs.map((job) => job.result()));
    await seen;
    gate.open();
    const [good, bad, large] = await results;
    assert.deepEqual(good, { status: 'fulfilled', value: { got: '✓' } });
    assert.deepEqual(large, { status: 'fulfilled', value: { got: 'x'.repeat(100_000) } });
    assert.match(String(bad?.status === 'rejected' && bad.reason), /failed at attempt 1: Error: out of ink/);
    assert.deepEqual((await here.jobs.list()).jobs, []);
  },
  SHARED_KINDS,
);

onEachStore(
  'where nothing is kept, results of short jobs come from a worker of another connection',
  async ({ connect }) => {
    const [here, there] = [await connect(), await connect()];
    await here.queues.setRetention('default', KEEPS_NOTHING);
    await there.worker({ tasks }).start();
    const inputs = Array.from({ length: 100 }, (_, index) => index);
    const results = inputs.map(async (input) => (await here.enqueue(task, input)).result());
    assert.deepEqual(
      (await Promise.all(results)).map(({ got }) => got),
      inputs,
    );
  },
  SHARED_KINDS,
);

onEachStore(
  'a job that no other connection knows of is gone, and whoever awaits it is told so',
  async ({ connect }) => {
    const [here, there] = [await connect(), await connect()];
    await there.worker({ tasks }).start();
    await assert.rejects(here.jobs.handle('no-such-job').result(), { code: 'JOB_UNKNOWN' });
    const job = await here.enqueue(task, 1, { delayMs: 3_600_000 });
    const seen = nextEvent(here, 'store.called', ({ verb }) => verb === 'get');
    const expected = assert.rejects(job.result(), { code: 'JOB_UNKNOWN', message: /removed/ });
    await seen;
    await there.jobs.remove(job.id);
    await expected;
  },
  SHARED_KINDS,
);

onEachStore(
  'where nothing is kept and connections cannot talk, a result that another one has is refused, and the error says why',
  async ({ connect, connectThrough }) => {
    const there = await connect();
    const here = await connectThrough(({ notifier }) => ({
      notifier: {
        subscribe: (...given) => notifier.subscribe(...given),
        crossProcess: notifier.crossProcess,
      },
    }));
    await here.queues.setRetention('default', { completed: NOTHING });
    const job = await here.enqueue(task, 1);
    const seen = nextEvent(here, 'store.called', ({ verb }) => verb === 'get');
    const expected = assert.rejects(job.result(), {
      code: 'JOB_UNKNOWN',
      message: /queue 'default' keeps no completed jobs, and no worker that runs now told how it ended/,
      details: { id: job.id, queue: 'default', keepsNothing: ['completed'] },
    });
    await seen;
    await there.worker({ tasks }).runUntilIdle();
    await expected;
  },
  SHARED_KINDS,
);

onEachStore('a signal that is none is refused, and nothing waits', async ({ connect }) => {
  const clock = new FakeClock();
  const longshore = await connect({ clock });
  const job = await longshore.enqueue(task, 1);
  for (const signal of [{}, null, { aborted: false }, new AbortController(), 5])
    await assert.rejects(job.result({ timeoutMs: 10, signal: signal as never }), {
      code: 'OPTION_INVALID',
      message: /signal is/,
    });
  await clock.advance(1_000);
});

onEachStore('closing the client ends its waits', async ({ connect }) => {
  const longshore = await connect();
  const job = await longshore.enqueue(task, 1);
  const expected = assert.rejects(job.result(), { code: 'STORE_CLOSED' });
  await longshore.close();
  await expected;
  await assert.rejects(job.result(), { code: 'STORE_CLOSED' });
});

onEachStore('a job that is resolved by hand gives the result it was given', async ({ connect }) => {
  const longshore = await connect();
  const gate = new Gate();
  const job = await longshore.enqueue(task, 'fail');
  await longshore.worker({ tasks }).runUntilIdle();
  const report = await longshore.jobs.resolve(
    job.id,
    { by: 'hand' },
    { by: 'ada', why: 'printed elsewhere' },
  );
  assert.deepEqual(report.done, [job.id]);
  assert.deepEqual(await job.result(), { by: 'hand' });
  gate.open();
});
