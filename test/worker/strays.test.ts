import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { defineTask } from '../../src/index.ts';
import type { GivenBack, KeepAlive, Store } from '../../src/store/store.ts';
import { nextEvent, onEachStore, record, type Stage } from '../stage.ts';

/**
 * A connection whose worker beats when it is told to, and what it disowned. By the server's clock: with a given one, PostgreSQL
 * cannot tell which claims a beat did not see yet.
 */
async function watched({ connectThrough }: Stage, changes: (store: Store) => Partial<Store> = () => ({})) {
  const disowned: GivenBack[] = [];
  const kept: KeepAlive[] = [];
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
    ...changes(store),
  }));
  /** Beats again and again until this is over. */
  const beatUntil = async <Result>(done: Promise<Result>): Promise<Result> => {
    let over = false;
    const settled = done.finally(() => {
      over = true;
    });
    while (!over) {
      await kept[0]?.beat();
      await nextTurn();
    }
    return settled;
  };
  return { longshore, disowned, beatUntil };
}

onEachStore(
  'jobs of a claim whose answer cannot be read go back uncharged while the worker goes on',
  async (stage) => {
    let spoils = true;
    const { longshore, disowned, beatUntil } = await watched(stage, (store) => ({
      claim: async (request) => {
        const receipt = await store.claim(request);
        if (receipt.leases.length === 0 || !spoils) return receipt;
        spoils = false;
        throw new Error('The answer cannot be read.');
      },
    }));
    const task = defineTask({ name: 'task', run: ({ attempt }) => attempt });
    const cancels = record(longshore, 'job.cancelled');
    const jobs = await longshore.enqueueMany(task, [1, 2, 3]);
    const failed = nextEvent(longshore, 'store.failed', ({ verb }) => verb === 'claim');
    await longshore.worker({ tasks: [task], concurrency: 3, leaseMs: 3_600_000 }).start();
    await failed;
    const cancelled = jobs[2]?.id ?? '';
    assert.deepEqual((await longshore.jobs.cancel(cancelled)).requested, [cancelled]);
    const views = await beatUntil(Promise.all(jobs.map((job) => job.ended())));
    assert.deepEqual(
      views.map(({ state, attempt, crashes, result }) => ({ state, attempt, crashes, result })),
      [
        { state: 'completed', attempt: 1, crashes: 0, result: 1 },
        { state: 'completed', attempt: 1, crashes: 0, result: 1 },
        { state: 'cancelled', attempt: 0, crashes: 0, result: undefined },
      ],
    );
    assert.deepEqual(disowned.map(({ state }) => state).sort(), ['cancelled', 'ready', 'ready']);
    assert.deepEqual(
      cancels.map(({ event }) => event.id),
      [cancelled],
    );
  },
);

onEachStore('jobs that a worker has are never taken for strays', async (stage) => {
  const { longshore, disowned, beatUntil } = await watched(stage);
  const task = defineTask({
    name: 'task',
    run: async ({ input }) => {
      for (let turns = Number(input) % 7; turns > 0; turns -= 1) await nextTurn();
    },
  });
  const lost = record(longshore, 'job.lost');
  await longshore.worker({ tasks: [task], concurrency: 4, leaseMs: 3_600_000 }).start();
  const inputs = Array.from({ length: 60 }, (_, index) => index);
  for (let wave = 0; wave < 5; wave += 1) {
    const jobs = await longshore.enqueueMany(task, inputs);
    await beatUntil(Promise.all(jobs.map((job) => job.result())));
  }
  assert.deepEqual([disowned, lost], [[], []]);
});
