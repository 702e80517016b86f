import assert from 'node:assert/strict';
import { defineTask, type ErrorCode, LongshoreError } from '../../src/index.ts';
import type { Settlement, Store } from '../../src/store/store.ts';
import { eventually, nextEvent, onEachStore, record, type Stage } from '../stage.ts';

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
