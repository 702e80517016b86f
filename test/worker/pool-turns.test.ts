import assert from 'node:assert/strict';
import type { Longshore } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { advanceUntil, eventually, Gate, nextEvent, onEachStore, record } from '../stage.ts';
import { untilCancelled } from './tasks/until-cancelled.ts';

const QUEUES = ['a', 'b', 'c'];

for (const strategy of ['thread', 'process'] as const)
  onEachStore(`workers that share a ${strategy} run long jobs in turn`, async ({ connect }) => {
    const clock = new FakeClock();
    const longshore = await connect({ clock });
    try {
      const queues = await startsOf(longshore, clock, strategy);
      // The first one has its second turn before the last one was in the line.
      const last = queues.slice(-6);
      assert.deepEqual(last.toSorted(), ['a', 'a', 'b', 'b', 'c', 'c'], queues.join(' '));
      assert.deepEqual(last.slice(3), last.slice(0, 3));
    } finally {
      await advanceUntil(clock, longshore.close());
    }
  });

onEachStore(
  'a worker whose store does not answer keeps its turn for a second, not for ever',
  async ({ connect, connectThrough }) => {
    const hung = new Gate();
    let hangs = false;
    const other = await connectThrough((store) => ({
      claim: async (request) => {
        if (hangs) await hung.wait();
        return store.claim(request);
      },
    }));
    const longshore = await connect();
    const started: { id: string; queue: string }[] = [];
    for (const each of [longshore, other]) each.on('job.started', (event) => started.push(event));
    const next = async (): Promise<void> => {
      const { id } = started.at(-1) as { id: string };
      const { length } = started;
      await longshore.jobs.cancel(id);
      await eventually(() => started.length > length);
    };
    const pool = { tasks: [untilCancelled], strategy: 'thread', threads: 1, pollMs: 60_000 } as const;
    for (const queue of ['a', 'b'])
      await longshore.enqueueMany(untilCancelled, Array(20).fill(null), { queue });
    await longshore.worker({ ...pool, queues: ['a'] }).start();
    await eventually(() => started.length === 1);
    const released = nextEvent(other, 'job.released');
    await other.worker({ ...pool, queues: ['b'] }).start();
    // It has given its job back, and will claim when there is room.
    await released;
    while (started.at(-2)?.queue !== 'b' || started.at(-1)?.queue !== 'a') await next();
    hangs = true;
    await next();
    await hung.reached;
    assert.equal(started.at(-1)?.queue, 'a');
    await next();
    hung.open();
  },
  ['sqlite'],
);

/** The queues of nine jobs in the order in which they started: a worker for each queue, and one host for all. */
async function startsOf(
  longshore: Longshore,
  clock: FakeClock,
  strategy: 'thread' | 'process',
): Promise<string[]> {
  const started = record(longshore, 'job.started');
  for (const queue of QUEUES) await longshore.enqueueMany(untilCancelled, Array(9).fill(null), { queue });
  for (const queue of QUEUES) {
    const queues = [queue];
    await longshore.worker({ tasks: [untilCancelled], queues, strategy, threads: 1, processes: 1 }).start();
  }
  // Each has claimed a job.
  await eventually(async () => (await running(longshore)) === QUEUES.length);
  while (started.length < 9) {
    // Jobs that could not start go back after a while, so that their workers have to claim again.
    await eventually(async () => {
      await clock.advance(100);
      return (await running(longshore)) === 1;
    });
    const next = nextEvent(longshore, 'job.started');
    await longshore.jobs.cancel(started.at(-1)?.event.id as string);
    await next;
  }
  return started.map(({ event }) => event.queue);
}

async function running(longshore: Longshore): Promise<number> {
  const queues = await longshore.queues.list();
  return queues.reduce((sum, { counts }) => sum + counts.running, 0);
}
