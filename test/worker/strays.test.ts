import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { defineTask } from '../../src/index.ts';
import type { KeepAlive } from '../../src/store/store.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { advanceUntil, nextEvent, onEachStore, record, type Stage } from '../stage.ts';

/** The first claim that gets jobs is carried out by the store, and its answer cannot be read. */
async function withSpoiledClaim({ connectThrough }: Stage) {
  const clock = new FakeClock();
  let spoils = true;
  const longshore = await connectThrough(
    (store) => ({
      claim: async (request) => {
        const receipt = await store.claim(request);
        if (receipt.leases.length === 0 || !spoils) return receipt;
        spoils = false;
        throw new Error('The answer cannot be read.');
      },
    }),
    { clock },
  );
  return { clock, longshore };
}

onEachStore(
  'jobs of a claim whose answer cannot be read go back uncharged while the worker goes on',
  async (stage) => {
    const { clock, longshore } = await withSpoiledClaim(stage);
    const task = defineTask({ name: 'task', run: ({ attempt }) => attempt });
    const ends = record(longshore, 'job.released', 'job.cancelled', 'job.completed');
    const jobs = await longshore.enqueueMany(task, [1, 2, 3]);
    const failed = nextEvent(longshore, 'store.failed', ({ verb }) => verb === 'claim');
    const worker = longshore.worker({ tasks: [task], concurrency: 3, leaseMs: 30_000 });
    await worker.start();
    await failed;
    const cancelled = jobs[2]?.id ?? '';
    assert.deepEqual((await longshore.jobs.cancel(cancelled)).requested, [cancelled]);
    const views = await advanceUntil(clock, Promise.all(jobs.map((job) => job.ended())), 1_000);
    assert.deepEqual(
      views.map(({ state, attempt, crashes, result }) => ({ state, attempt, crashes, result })),
      [
        { state: 'completed', attempt: 1, crashes: 0, result: 1 },
        { state: 'completed', attempt: 1, crashes: 0, result: 1 },
        { state: 'cancelled', attempt: 0, crashes: 0, result: undefined },
      ],
    );
    assert.deepEqual(ends.map(({ name }) => name).sort(), [
      'job.cancelled',
      'job.completed',
      'job.completed',
      'job.released',
      'job.released',
    ]);
  },
);

onEachStore('jobs that a worker has are never taken for strays', async ({ connectThrough }) => {
  const disowned: unknown[] = [];
  const kept: KeepAlive[] = [];
  // By the server's clock: with a given one, PostgreSQL cannot tell which claims a beat did not see yet.
  const longshore = await connectThrough((store) => ({
    keepAlive: (options) => {
      const keepAlive = store.keepAlive(options);
      kept.push(keepAlive);
      return keepAlive;
    },
    disown: async (request) => {
      const jobs = await store.disown(request);
      disowned.push(...jobs);
      return jobs;
    },
  }));
  const task = defineTask({
    name: 'task',
    run: async ({ input }) => {
      for (let turns = Number(input) % 7; turns > 0; turns -= 1) await nextTurn();
    },
  });
  const lost = record(longshore, 'job.lost');
  const worker = longshore.worker({ tasks: [task], concurrency: 4, leaseMs: 60_000 });
  await worker.start();
  for (let wave = 0; wave < 5; wave += 1) {
    const jobs = await longshore.enqueueMany(
      task,
      Array.from({ length: 60 }, (_, index) => index),
    );
    let over = false;
    const results = Promise.all(jobs.map((job) => job.result())).then(() => {
      over = true;
    });
    while (!over) {
      await kept[0]?.beat();
      await nextTurn();
    }
    await results;
  }
  assert.deepEqual([disowned, lost], [[], []]);
});
