import assert from 'node:assert/strict';
import { BATCH_CHARS_MAX, charsOfNote, charsOfSettlement, sumOf } from '../../src/core/batch.ts';
import { defineTask, type ErrorCode, LongshoreError } from '../../src/index.ts';
import type { Settlement, Store } from '../../src/store/store.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { advanceUntil, eventually, nextEvent, onEachStore, record, type Stage } from '../stage.ts';

/** A store whose settle rejects as long as `refuses` says so; then it works. */
async function withSettle(
  { connectThrough }: Stage,
  refuses: (settlements: readonly Settlement[], call: number) => ErrorCode | null,
) {
  let call = 0;
  const longshore = await connectThrough((store: Store) => ({
    settle: async (settlements, options) => {
      call += 1;
      const code = refuses(settlements, call);
      if (code !== null) throw new LongshoreError(code, `refused (call ${call})`);
      return store.settle(settlements, options);
    },
  }));
  const runs = new Map<number, number>();
  const task = defineTask({
    name: 'task',
    run: ({ input }) => {
      runs.set(input as number, (runs.get(input as number) ?? 0) + 1);
      return input;
    },
  });
  return { longshore, task, runs, worker: longshore.worker({ tasks: [task] }) };
}

for (const [code, times] of [
  ['STORE_BUSY', 1],
  ['STORE_BUSY', 4],
  ['STORE_FULL', 2],
  ['STORE_READ_ONLY', 3],
  ['STORE_FAILED', 1],
  ['STORE_FAILED', 2],
] as const) {
  onEachStore(
    `no outcome is lost, and no job runs twice, when settle says ${code} ${times} times`,
    async (stage) => {
      const { longshore, task, runs, worker } = await withSettle(stage, (_, call) =>
        call <= times ? code : null,
      );
      const failures = record(longshore, 'store.failed');
      const jobs = await longshore.enqueueMany(task, [0, 1, 2, 3, 4]);
      await worker.start();
      assert.deepEqual(await Promise.all(jobs.map((job) => job.result())), [0, 1, 2, 3, 4]);
      assert.deepEqual([...runs.values()], [1, 1, 1, 1, 1]);
      assert.equal(failures.filter(({ event }) => event.verb === 'settle').length, times);
      assert.equal(worker.tally.completed, 5);
      assert.equal(worker.tally.lost, 0);
    },
  );
}

for (const code of ['STORE_FAILED', 'PAYLOAD_NOT_JSON'] as const) {
  onEachStore(
    `an outcome the store never takes (${code}) becomes a dead letter and holds no other back`,
    async (stage) => {
      const { longshore, task, worker } = await withSettle(stage, (settlements) =>
        settlements.some(({ outcome }) => outcome.type === 'completed' && outcome.result === '3')
          ? code
          : null,
      );
      const jobs = await longshore.enqueueMany(task, [0, 1, 2, 3, 4]);
      await worker.start();
      const ended = await Promise.all(jobs.map((job) => job.ended()));
      assert.deepEqual(
        ended.map(({ state }) => state),
        ['completed', 'completed', 'completed', 'failed', 'completed'],
      );
      const dead = await longshore.jobs.get(jobs[3]?.id ?? '');
      assert.equal(dead?.errors[0]?.code, code);
      assert.match(dead?.errors[0]?.message ?? '', /^refused/);
      const later = await longshore.enqueue(task, 5);
      assert.equal(await later.result(), 5);
    },
  );
}

onEachStore(
  'an outcome that breaks every connection it is written on becomes a dead letter in the end, and never holds others back',
  async ({ connectThrough }) => {
    const clock = new FakeClock();
    const calls: (string | null)[][] = [];
    const longshore = await connectThrough(
      (store) => ({
        settle: async (settlements, options) => {
          const results = settlements.map(({ outcome }) =>
            outcome.type === 'completed' ? outcome.result : null,
          );
          calls.push(results);
          if (results.includes('3')) throw new LongshoreError('STORE_UNAVAILABLE', 'The connection is gone.');
          return store.settle(settlements, options);
        },
      }),
      { clock },
    );
    const task = defineTask({ name: 'task', run: ({ input }) => input });
    const jobs = await longshore.enqueueMany(task, [0, 1, 2, 3, 4, 5, 6, 7]);
    await longshore.worker({ tasks: [task] }).start();
    const poison = jobs.splice(3, 1)[0] as (typeof jobs)[0];
    const results = await advanceUntil(clock, Promise.all(jobs.map((job) => job.result())));
    assert.deepEqual(results, [0, 1, 2, 4, 5, 6, 7]);
    // It is to blame only once others have passed again and again.
    while ((await longshore.jobs.get(poison.id))?.state === 'running') {
      const other = await longshore.enqueue(task, 8);
      assert.equal(await advanceUntil(clock, other.result()), 8);
    }
    const dead = await longshore.jobs.get(poison.id);
    assert.deepEqual([dead?.state, dead?.errors[0]?.code], ['failed', 'STORE_UNAVAILABLE']);
    assert.match(dead?.errors[0]?.message ?? '', /could not be written in 10 tries.*The connection is gone/);
    const withIt = calls.filter((results) => results.includes('3'));
    const alone = withIt.findIndex((results) => results.length === 1);
    assert.ok(withIt.slice(alone).every((results) => results.length === 1));
    assert.ok(withIt.length - alone >= 10);
  },
);

onEachStore('outcomes and notes are written in batches of bounded size', async ({ connectThrough }) => {
  const sizes: number[] = [];
  const longshore = await connectThrough((store) => ({
    settle: (settlements, options) => {
      sizes.push(sumOf(settlements, charsOfSettlement));
      return store.settle(settlements, options);
    },
    annotate: (notes, options) => {
      sizes.push(sumOf(notes, charsOfNote));
      return store.annotate(notes, options);
    },
  }));
  const inputs = Array.from({ length: 10 }, (_, index) => index);
  const together = Promise.withResolvers<void>();
  let running = 0;
  const task = defineTask({
    name: 'task',
    run: async ({ progress, log }) => {
      progress('p'.repeat(1_000_000));
      log('m', 'd'.repeat(1_000_000));
      running += 1;
      if (running === inputs.length) together.resolve();
      await together.promise;
      return 'r'.repeat(1_000_000);
    },
  });
  const jobs = await longshore.enqueueMany(task, inputs);
  await longshore.worker({ tasks: [task], concurrency: inputs.length }).start();
  const results = await Promise.all(jobs.map((job) => job.result()));
  assert.ok(results.every((result) => (result as string).length === 1_000_000));
  const job = await longshore.jobs.get(jobs[9]?.id ?? '');
  assert.deepEqual([job?.progress, job?.logs.length], ['p'.repeat(1_000_000), 1]);
  assert.ok(sizes.every((chars) => chars <= BATCH_CHARS_MAX));
});

onEachStore('a note the store does not take is given up alone', async ({ connectThrough }) => {
  const longshore = await connectThrough((store) => ({
    annotate: async (notes, options) => {
      if (notes.some(({ progress }) => progress === '"bad"'))
        throw new LongshoreError('PAYLOAD_TOO_LARGE', 'no');
      return store.annotate(notes, options);
    },
  }));
  const failures = record(longshore, 'store.failed');
  const task = defineTask({
    name: 'task',
    run: ({ input, progress }) => progress(input),
  });
  const jobs = await longshore.enqueueMany(task, ['good', 'bad', 'better']);
  await longshore.worker({ tasks: [task] }).runUntilIdle();
  const kept = await Promise.all(jobs.map(({ id }) => longshore.jobs.get(id)));
  assert.deepEqual(
    kept.map((job) => [job?.state, job?.progress]),
    [
      ['completed', 'good'],
      ['completed', undefined],
      ['completed', 'better'],
    ],
  );
  assert.equal(failures.at(-1)?.event.retryMs, null);
});

onEachStore('a claim that fails is tried again', async ({ connectThrough }) => {
  let calls = 0;
  const longshore = await connectThrough((store) => ({
    claim: async (request) => {
      calls += 1;
      if (calls <= 2) throw new LongshoreError('STORE_UNAVAILABLE', 'not now');
      return store.claim(request);
    },
  }));
  const failures = record(longshore, 'store.failed');
  const task = defineTask({ name: 'task', run: () => 'ran' });
  await longshore.worker({ tasks: [task] }).start();
  assert.equal(await (await longshore.enqueue(task, null)).result(), 'ran');
  assert.deepEqual(
    failures.map(({ event }) => [event.verb, typeof event.retryMs]),
    [
      ['claim', 'number'],
      ['claim', 'number'],
    ],
  );
});

onEachStore('a claim that fails is tried again with fewer jobs', async ({ connectThrough }) => {
  const limits: number[] = [];
  const longshore = await connectThrough((store) => ({
    claim: async (request) => {
      limits.push(request.limit);
      if (request.limit > 3) throw new LongshoreError('STORE_UNAVAILABLE', 'too much for the time there is');
      return store.claim(request);
    },
  }));
  const task = defineTask({ name: 'task', run: ({ input }) => input });
  const jobs = await longshore.enqueueMany(task, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  await longshore.worker({ tasks: [task], concurrency: 10 }).start();
  assert.deepEqual(await Promise.all(jobs.map((job) => job.result())), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(limits.slice(0, 3), [10, 5, 3]);
});

onEachStore('of large inputs, few are claimed at a time', async ({ connectThrough }) => {
  const limits: number[] = [];
  const longshore = await connectThrough((store) => ({
    claim: (request) => {
      limits.push(request.limit);
      return store.claim(request);
    },
  }));
  const task = defineTask({ name: 'task', run: () => undefined });
  const jobs = await longshore.enqueueMany(task, Array(2).fill('x'.repeat(1_000_000)));
  await longshore.worker({ tasks: [task], concurrency: 100 }).start();
  await Promise.all(jobs.map((job) => job.result()));
  assert.equal(limits[0], 100);
  const before = limits.length;
  await (await longshore.enqueue(task, 1)).result();
  // As many as 32 MB have room for.
  assert.ok((limits[before] ?? 0) > 0 && (limits[before] ?? 0) <= 33, String(limits));
});

onEachStore('a job whose notes cannot be written is completed all the same', async ({ connectThrough }) => {
  for (const code of ['STORE_BUSY', 'STORE_CORRUPT'] as const) {
    const longshore = await connectThrough(() => ({
      annotate: () => Promise.reject(new LongshoreError(code, 'no')),
    }));
    const task = defineTask({
      name: 'task',
      run: ({ progress, log }) => {
        log('hello');
        progress(0.5);
        return 'ran';
      },
    });
    const failed = nextEvent(longshore, 'store.failed', ({ verb }) => verb === 'annotate');
    await longshore.worker({ tasks: [task] }).start();
    const job = await longshore.enqueue(task, null);
    assert.equal(await job.result(), 'ran');
    assert.equal(((await failed).error as LongshoreError).code, code);
    await longshore.close();
  }
});

onEachStore(
  'a start that fails leaves nothing behind, and can be tried again',
  async ({ connectThrough }) => {
    let broken = true;
    let beats = 0;
    const longshore = await connectThrough((store) => ({
      keepAlive: (options) => {
        const inner = store.keepAlive(options);
        return {
          update: (load) => inner.update(load),
          beat: () => {
            beats += 1;
            return broken ? Promise.reject(new LongshoreError('STORE_UNAVAILABLE', 'no')) : inner.beat();
          },
          close: () => inner.close(),
        };
      },
    }));
    const task = defineTask({ name: 'task', run: () => 'ran' });
    const worker = longshore.worker({ tasks: [task] });
    await assert.rejects(worker.start(), { code: 'STORE_UNAVAILABLE' });
    assert.equal(beats, 1);
    assert.equal(worker.isProcessing, false);
    assert.equal(worker.isScheduling, false);
    assert.deepEqual(await longshore.workers(), []);
    broken = false;
    await worker.start();
    assert.equal(await (await longshore.enqueue(task, null)).result(), 'ran');
  },
);

onEachStore(
  'runUntilIdle rejects when the store cannot be claimed from for good',
  async ({ connectThrough }) => {
    const longshore = await connectThrough(() => ({
      claim: () => Promise.reject(new LongshoreError('STORE_CORRUPT', 'The file is damaged.')),
    }));
    const task = defineTask({ name: 'task', run: () => undefined });
    const worker = longshore.worker({ tasks: [task] });
    await assert.rejects(worker.runOnce(), { code: 'STORE_CORRUPT' });
    await assert.rejects(worker.runUntilIdle(), { code: 'STORE_CORRUPT' });
    assert.equal(worker.isProcessing, false);
  },
);

onEachStore('a wait for a result outlasts a store that is away for a moment', async ({ connectThrough }) => {
  let reads = 0;
  const longshore = await connectThrough((store) => ({
    get: async (ids) => {
      reads += 1;
      if (reads === 1) throw new LongshoreError('STORE_BUSY', 'not now');
      return store.get(ids);
    },
  }));
  const task = defineTask({ name: 'task', run: () => 'ran' });
  const job = await longshore.enqueue(task, null);
  const result = job.result();
  await eventually(() => reads > 0);
  await longshore.worker({ tasks: [task] }).runUntilIdle();
  assert.equal(await result, 'ran');
});

onEachStore('a wait for a result ends with an error that will not pass', async ({ connectThrough }) => {
  const longshore = await connectThrough(() => ({
    get: () => Promise.reject(new LongshoreError('STORE_CORRUPT', 'The file is damaged.')),
  }));
  const job = await longshore.enqueue('task', null);
  await assert.rejects(job.result(), { code: 'STORE_CORRUPT' });
});
