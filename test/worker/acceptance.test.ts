/** The acceptance cases that the systems before Longshore were measured by. Durations are virtual, and in seconds. */
import assert from 'node:assert/strict';
import { defineTask, UnrecoverableError } from '../../src/index.ts';
import { Fleet } from '../crash/fleet.ts';
import { eventually, nextEvents, onEachStore, SHARED_KINDS, type Stage } from '../stage.ts';
import { outcomeOf } from './one-job.ts';
import { VirtualTime } from './virtual-time.ts';

onEachStore('a serial worker with jobs of .04, .1, 0 and .08 s completes 1, 2, 3, 4', async (stage) => {
  const { order, mostAtOnce } = await completionOrder(stage, [0.04, 0.1, 0, 0.08], { serial: true });
  assert.deepEqual(order, [1, 2, 3, 4]);
  assert.equal(mostAtOnce, 1);
});

onEachStore('two at once, job 2 of 1 s, job 3 of 0 and job 4 of .2, complete 3, 4, 2', async (stage) => {
  const { order } = await completionOrder(stage, [1, 0, 0.2], { concurrency: 2 }, 2);
  assert.deepEqual(order, [3, 4, 2]);
});

onEachStore('four at once with jobs of .3, .4, .1 and .5 s complete 3, 1, 2, 4', async (stage) => {
  const { order } = await completionOrder(stage, [0.3, 0.4, 0.1, 0.5], { concurrency: 4 });
  assert.deepEqual(order, [3, 1, 2, 4]);
});

onEachStore(
  'two at once with jobs of .3, .4, .2 and .5 s complete 1, 2, 3, 4, and never more than two run',
  async (stage) => {
    const { order, mostAtOnce } = await completionOrder(stage, [0.3, 0.4, 0.2, 0.5], { concurrency: 2 });
    assert.deepEqual(order, [1, 2, 3, 4]);
    assert.equal(mostAtOnce, 2);
  },
);

onEachStore('ten workers run 1,000 jobs: no duplicates, none lost', async ({ connect }) => {
  const longshore = await connect();
  const runs = new Map<string, number>();
  const task = defineTask({
    name: 'count',
    run: ({ id }) => void runs.set(id, (runs.get(id) ?? 0) + 1),
  });
  const handles = await longshore.enqueueMany(task, numbers(1_000));
  const workers = numbers(10).map(() => longshore.worker({ tasks: [task], concurrency: 5 }));
  await Promise.all(workers.map((worker) => worker.start()));
  await eventually(() => workers.reduce((sum, worker) => sum + worker.tally.completed, 0) === 1_000);
  await Promise.all(workers.map((worker) => worker.stop()));
  assert.deepEqual(new Set(runs.keys()), new Set(handles.map(({ id }) => id)));
  assert.ok([...runs.values()].every((count) => count === 1));
});

onEachStore('a fatal error fails the job at once, whatever attempts are left', async (stage) => {
  const { job, tally } = await outcomeOf(
    stage,
    () => {
      throw new UnrecoverableError('the address does not exist');
    },
    { attempts: 5 },
  );
  assert.equal(job.state, 'failed');
  assert.equal(job.attempt, 1);
  assert.deepEqual(
    job.errors.map(({ name, message, attempt }) => ({ name, message, attempt })),
    [{ name: 'UnrecoverableError', message: 'the address does not exist', attempt: 1 }],
  );
  assert.equal(tally.failed, 1);
});

onEachStore('any other error is queued, queued, failed, with three errors kept', async (stage) => {
  const { job, events } = await outcomeOf(
    stage,
    (attempt) => {
      throw new TypeError(`no luck ${attempt}`);
    },
    { attempts: 3 },
  );
  assert.deepEqual(
    events.map(({ name }) => name),
    ['job.retried', 'job.retried', 'job.failed'],
  );
  assert.equal(job.state, 'failed');
  assert.deepEqual(
    job.errors.map(({ attempt, name, message }) => [attempt, name, message]),
    [
      [1, 'TypeError', 'no luck 1'],
      [2, 'TypeError', 'no luck 2'],
      [3, 'TypeError', 'no luck 3'],
    ],
  );
  assert.match(job.errors[0]?.stack ?? '', /acceptance\.test\.ts/);
});

for (const attempts of [1, 3]) {
  onEachStore(`attempts: ${attempts} runs a failing job ${attempts} times`, async (stage) => {
    let runs = 0;
    const { job } = await outcomeOf(
      stage,
      () => {
        runs += 1;
        throw new Error('no');
      },
      { attempts },
    );
    assert.equal(runs, attempts);
    assert.equal(job.state, 'failed');
    assert.equal(job.attempt, attempts);
  });
}

onEachStore(
  'a first run needs no leave to retry: one attempt that ends well is all there is',
  async (stage) => {
    for (const attempts of [1, 3]) {
      const { job, tally } = await outcomeOf(stage, (attempt) => attempt, { attempts });
      assert.deepEqual([job.state, job.result, job.errors.length, tally.retried], ['completed', 1, 0, 0]);
    }
  },
);

onEachStore(
  'the jobs of a worker that was killed with SIGKILL are done by another one',
  async ({ t, url, connect }) => {
    const longshore = await connect();
    const fleet = new Fleet(t);
    const doomed = fleet.start('work', { url, settings: { leaseMs: 500, concurrency: 3 } });
    await fleet.ready(doomed);
    const jobs = await longshore.enqueueMany('until-told', [1, 2, 3]);
    await fleet.until(() => fleet.all('started').length === 3);
    doomed.kill();
    await doomed.exited;
    const heir = defineTask({ name: 'until-told', run: ({ attempt }) => attempt });
    await longshore.worker({ tasks: [heir], leaseMs: 500 }).start();
    assert.deepEqual(await Promise.all(jobs.map((job) => job.result())), [2, 2, 2]);
    assert.deepEqual(fleet.all('settled'), []);
  },
  SHARED_KINDS,
);

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** Runs one job per duration, numbered from `first`, and returns the numbers in the order of completion. */
async function completionOrder(
  { connect }: Stage,
  durations: readonly number[],
  settings: { readonly concurrency?: number; readonly serial?: boolean },
  first = 1,
): Promise<{ order: number[]; mostAtOnce: number }> {
  const time = new VirtualTime();
  const order: number[] = [];
  const task = defineTask({
    name: 'sleep',
    run: async ({ input }) => {
      const { job, seconds } = input as { job: number; seconds: number };
      await time.sleep(seconds * 1_000);
      order.push(job);
    },
  });
  const longshore = await connect();
  await longshore.enqueueMany(
    task,
    durations.map((seconds, index) => ({ job: first + index, seconds })),
  );
  const done = nextEvents(longshore, 'job.completed', durations.length);
  const worker = longshore.worker({ tasks: [task], ...settings });
  await worker.start();
  await time.run(durations.length, worker.settings.concurrency);
  await done;
  await worker.stop();
  return { order, mostAtOnce: time.mostAtOnce };
}
