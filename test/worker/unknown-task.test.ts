import assert from 'node:assert/strict';
import { defineTask, type Longshore } from '../../src/index.ts';
import type { JobTrail, Store } from '../../src/store/store.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { advanceUntil, eventually, Gate, nextEvent, onEachStore, record } from '../stage.ts';

const ours = defineTask({ name: 'ours', attempts: 1, run: () => 'ours' });
const theirs = defineTask({ name: 'theirs', attempts: 1, run: () => 'theirs' });

onEachStore('a job of an unknown task waits uncharged, and its log says why', async ({ connect }) => {
  const longshore = await connect();
  const events = record(longshore, 'job.started', 'job.snoozed', 'task.unknown');
  const job = await longshore.enqueue(theirs, null);
  const good = await longshore.enqueue(ours, null);
  const tally = await longshore.worker({ tasks: [ours] }).runUntilIdle();
  assert.equal(await good.result(), 'ours');
  assert.ok(tally.snoozed >= 1 && tally.retried + tally.failed === 0);
  const found = await longshore.jobs.get(job.id);
  assert.deepEqual([found?.state, found?.attempt, found?.errors], ['scheduled', 0, []]);
  assert.deepEqual(
    found?.logs.map(({ message }) => /^TASK_UNKNOWN: .*"theirs".*knows: "ours"/.test(message)),
    [true],
  );
  assert.deepEqual([...new Set(events.map(({ name, event }) => `${name} ${event.task}`))].sort(), [
    'job.started ours',
    'task.unknown theirs',
  ]);
});

onEachStore('programs with different tasks on one queue run all of their jobs', async ({ connect }) => {
  const clock = new FakeClock();
  const longshore = await connect({ clock });
  const jobs = [
    ...(await longshore.enqueueMany(ours, [1, 2, 3])),
    ...(await longshore.enqueueMany(theirs, [1, 2, 3])),
    ...(await longshore.enqueueMany(ours, [4])),
  ];
  const [first, second] = [[ours], [theirs]].map((tasks) => longshore.worker({ tasks, concurrency: 1 }));
  for (const worker of [first, second, first]) {
    await advanceUntil(clock, worker?.runUntilIdle() as Promise<unknown>, 0);
    await clock.advance(10_000);
  }
  const found = await Promise.all(jobs.map(({ id }) => longshore.jobs.get(id)));
  assert.deepEqual(
    found.map((job) => [job?.state, job?.attempt]),
    new Array(7).fill(['completed', 1]),
  );
});

onEachStore(
  'a job whose task no worker has for long is a dead letter, whichever workers met it',
  async ({ connect }) => {
    const clock = new FakeClock();
    const longshore = await connect({ clock });
    // Its time runs from when it was met, not from when it was enqueued.
    const { id } = await longshore.enqueue(theirs, null, { delayMs: 100_000 });
    await clock.advance(100_000);
    assert.deepEqual(await metAfter(longshore, clock, id, 0), ['scheduled', 0]);
    assert.deepEqual(await metAfter(longshore, clock, id, 5_000), ['scheduled', 0]);
    assert.deepEqual(await metAfter(longshore, clock, id, 5_000), ['failed', 1]);
    const job = await longshore.jobs.get(id);
    assert.equal(job?.errors[0]?.code, 'TASK_UNKNOWN');
    assert.match(job?.errors[0]?.message ?? '', /"theirs".*waited for 10 s.*redrive/);
    await longshore.jobs.redrive(id);
    await clock.advance(1);
    assert.deepEqual(await metAfter(longshore, clock, id, 0), ['scheduled', 0]);
    assert.deepEqual(await metAfter(longshore, clock, id, 9_000), ['scheduled', 0]);
    assert.deepEqual(await metAfter(longshore, clock, id, 2_000), ['failed', 1]);
  },
);

onEachStore('a worker that met a job before it was redriven counts its time anew', async ({ connect }) => {
  const clock = new FakeClock();
  const longshore = await connect({ clock });
  const { id } = await longshore.enqueue(theirs, null);
  const worker = longshore.worker({ tasks: [ours], unknownTaskMs: 10_000 });
  await advanceUntil(clock, worker.runUntilIdle(), 0);
  await clock.advance(30_000);
  assert.deepEqual(await metAfter(longshore, clock, id, 0), ['failed', 1]);
  await longshore.jobs.redrive(id);
  await advanceUntil(clock, worker.runUntilIdle(), 0);
  assert.equal((await longshore.jobs.get(id))?.state, 'scheduled');
});

onEachStore('a job whose task a worker of the queue has is no dead letter', async ({ connect }) => {
  const clock = new FakeClock();
  const longshore = await connect({ clock });
  const gate = new Gate();
  const busy = defineTask({ name: 'busy', run: () => gate.wait() });
  await longshore.enqueue(busy, null);
  await longshore.worker({ tasks: [busy, theirs], concurrency: 1, leaseMs: 3_600_000 }).start();
  await gate.reached;
  const { id } = await longshore.enqueue(theirs, null);
  assert.deepEqual(await metAfter(longshore, clock, id, 0), ['scheduled', 0]);
  assert.deepEqual(await metAfter(longshore, clock, id, 60_000), ['scheduled', 0]);
  gate.open();
  await advanceUntil(clock, longshore.close());
});

onEachStore(
  'the longer a job has waited, the later it comes back, and not after half a minute',
  async ({ connect }) => {
    const clock = new FakeClock();
    const longshore = await connect({ clock });
    const told = record(longshore, 'task.unknown');
    await longshore.enqueue(theirs, null);
    const worker = longshore.worker({ tasks: [ours] });
    for (let meetings = 0; meetings < 60; meetings += 1) {
      await advanceUntil(clock, worker.runUntilIdle(), 0);
      await clock.advance(told.at(-1)?.event.delayMs ?? 0);
    }
    const delays = told.map(({ event }) => event.delayMs);
    assert.equal(delays.length, 60);
    assert.ok(Math.min(...delays) >= 800 && Math.max(...delays) <= 36_000, delays.join(' '));
    assert.ok((delays[0] ?? 0) <= 1_200 && (delays.at(-1) ?? 0) >= 24_000, delays.join(' '));
  },
  ['memory'],
);

onEachStore(
  'of thousands of such jobs a hundred come back in a second, and as many logs are read',
  async ({ connectThrough }) => {
    const clock = new FakeClock();
    let reads = 0;
    const longshore = await connectThrough(
      (store) => ({
        trail: (id) => {
          reads += 1;
          return store.trail(id);
        },
      }),
      { clock },
    );
    const told = record(longshore, 'task.unknown');
    await longshore.enqueueMany(theirs, new Array(5_000).fill(null));
    await advanceUntil(clock, longshore.worker({ tasks: [ours] }).runUntilIdle(), 0);
    assert.equal(told.length, 5_000);
    assert.equal(reads, 100);
    const soon = told.filter(({ event }) => event.delayMs < 10_000).length;
    assert.ok(soon > 500 && soon < 1_500, `${soon}`);
  },
  ['memory'],
);

onEachStore('of many such jobs each has its time, and an end', async ({ connect }) => {
  const clock = new FakeClock();
  const longshore = await connect({ clock });
  await longshore.enqueueMany(theirs, new Array(250).fill(null));
  const counts = async () => (await longshore.queues.list())[0]?.counts;
  await metByNew(longshore, clock, 0);
  await metByNew(longshore, clock, 9_000);
  // Those whose logs were read at first are over, and no others.
  await metByNew(longshore, clock, 1_000);
  assert.ok(((await counts())?.failed ?? 0) <= 100);
  for (let times = 0; times < 10; times += 1) await metByNew(longshore, clock, 5_000);
  assert.equal((await counts())?.failed, 250);
});

/** A store whose trails are given once the gate is open. */
function trailBehind(gate: Gate) {
  return (store: Store): Pick<Store, 'trail'> => ({
    trail: async (id): Promise<JobTrail | null> => {
      await gate.wait();
      return store.trail(id);
    },
  });
}

onEachStore(
  'a worker that meets such a job while the store hangs can be stopped',
  async (stage) => {
    const hung = new Gate();
    const longshore = await stage.connectThrough(trailBehind(hung));
    const { id } = await longshore.enqueue(theirs, null);
    const worker = longshore.worker({ tasks: [ours], abortGraceMs: 50 });
    await worker.start();
    await hung.reached;
    const released = nextEvent(longshore, 'job.released');
    await worker.stop({ graceMs: 0 });
    await released;
    hung.open();
    const reader = await stage.connect();
    const job = await reader.jobs.get(id);
    assert.deepEqual([job?.state, job?.attempt], ['ready', 0]);
  },
  ['sqlite', 'postgres', 'redis'],
);

onEachStore(
  'a job of an unknown task can be cancelled while it is looked at',
  async (stage) => {
    const hung = new Gate();
    const longshore = await stage.connectThrough(trailBehind(hung));
    const { id } = await longshore.enqueue(theirs, null);
    await longshore.worker({ tasks: [ours] }).start();
    await hung.reached;
    assert.deepEqual((await longshore.jobs.cancel(id)).requested, [id]);
    hung.open();
    await eventually(async () => (await stateOf(longshore, id)) === 'cancelled');
  },
  ['sqlite', 'postgres', 'redis'],
);

onEachStore('a log that cannot be read charges nothing, either', async (stage) => {
  const longshore = await stage.connectThrough(() => ({
    trail: () => Promise.reject(new Error('away')),
  }));
  const { id } = await longshore.enqueue(theirs, null);
  const tally = await longshore.worker({ tasks: [ours], unknownTaskMs: 1 }).runUntilIdle();
  assert.equal(tally.snoozed, 1);
  assert.equal(await stateOf(longshore, id), 'scheduled');
});

/** The job's state and attempt after a new worker met it, so much later. */
async function metAfter(longshore: Longshore, clock: FakeClock, id: string, ms: number) {
  await metByNew(longshore, clock, ms);
  const job = await longshore.jobs.get(id);
  return [job?.state, job?.attempt];
}

async function metByNew(longshore: Longshore, clock: FakeClock, ms: number): Promise<void> {
  await clock.advance(ms);
  const worker = longshore.worker({ tasks: [ours], unknownTaskMs: 10_000 });
  await advanceUntil(clock, worker.runUntilIdle(), 0);
}

async function stateOf(longshore: Longshore, id: string): Promise<string | undefined> {
  const [job] = (await longshore.jobs.list({ limit: 10 })).jobs.filter((each) => each.id === id);
  return job?.state;
}
