import assert from 'node:assert/strict';
import { defineTask, type LongshoreError } from '../../src/index.ts';
import type { Notifier } from '../../src/store/notifier.ts';
import type { KeepAlive, Store } from '../../src/store/store.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { eventually, Gate, nextEvent, onEachStore, type Stage } from '../stage.ts';

const LEASE_MS = 1_000;

/** A worker that beats only when the test says so, and one running job whose lease has just been taken back. */
async function withLostLease({ connectThrough }: Stage, concurrency = 1) {
  const clock = new FakeClock();
  let beat = (): Promise<void> => Promise.resolve();
  let reap = (): Promise<unknown> => Promise.resolve();
  const longshore = await connectThrough(
    (store: Store) => {
      reap = () => store.reap();
      return {
        keepAlive: ({ worker, leaseMs, onBeat }) => {
          beat = async () =>
            onBeat(await store.beat({ worker, leaseMs, load: { slots: 0, slotsUsed: 0, profiles: [] } }));
          return { update: () => undefined, beat, close: async () => undefined };
        },
        notifier: withoutControl(store.notifier),
      };
    },
    { clock },
  );
  const first = new Gate();
  const reasons: LongshoreError[] = [];
  const task = defineTask({
    name: 'task',
    run: async ({ attempt, signal }) => {
      if (attempt > 1) return 'second';
      signal.addEventListener('abort', () => reasons.push(signal.reason));
      await first.wait();
      signal.throwIfAborted();
      return 'first';
    },
  });
  const worker = longshore.worker({
    tasks: [task],
    concurrency,
    leaseMs: LEASE_MS,
    abortGraceMs: 3_600_000,
    roles: ['processing'],
  });
  await worker.start();
  const job = await longshore.enqueue(task, null);
  await first.reached;
  await clock.advance(LEASE_MS);
  return { longshore, worker, job, first, reasons, reap: () => reap(), beat: () => beat() };
}

onEachStore('a beat renews a lease that expired but was not taken back yet', async (stage) => {
  const { worker, job, first, beat, reap, reasons } = await withLostLease(stage);
  await beat();
  await reap();
  first.open();
  assert.equal(await job.result(), 'first');
  assert.deepEqual(reasons, []);
  assert.equal(worker.tally.completed, 1);
});

onEachStore(
  'a handler whose job was taken away sees its signal abort, and its outcome does not count',
  async (stage) => {
    const { longshore, worker, job, first, beat, reap, reasons } = await withLostLease(stage);
    await reap();
    const lost = nextEvent(longshore, 'job.lost');
    await beat();
    assert.equal(reasons[0]?.code, 'LEASE_LOST');
    first.open();
    const { id, attempt, outcome } = await lost;
    assert.deepEqual({ id, attempt, outcome }, { id: job.id, attempt: 1, outcome: 'unknown' });
    assert.equal(worker.tally.lost, 1);
    const after = await longshore.jobs.get(job.id);
    assert.deepEqual([after?.state, after?.crashes, after?.errors.length], ['ready', 1, 1]);
  },
);

onEachStore('an outcome that comes after the lease was lost is refused, and said to be', async (stage) => {
  const { longshore, job, first, reap } = await withLostLease(stage);
  await reap();
  const lost = nextEvent(longshore, 'job.lost');
  first.open();
  assert.equal((await lost).outcome, 'completed');
  assert.equal(await job.result(), 'second');
});

onEachStore(
  'a worker that gets its own lost job again stops the handler of the first attempt',
  async (stage) => {
    const { longshore, worker, job, first, reap, reasons } = await withLostLease(stage, 2);
    const lost = nextEvent(longshore, 'job.lost');
    await reap();
    assert.equal(await job.result(), 'second');
    assert.equal(reasons[0]?.code, 'LEASE_LOST');
    first.open();
    await lost;
    await eventually(() => worker.running === 0);
    assert.deepEqual([worker.tally.completed, worker.tally.lost], [1, 1]);
  },
);

onEachStore('beats are told of used slots once in 200 ms, and of the last number always', async (stage) => {
  const clock = new FakeClock();
  const told: number[] = [];
  const longshore = await stage.connectThrough(
    (store) => ({
      keepAlive: (options) => {
        const { update, ...keepAlive } = bound(store.keepAlive(options));
        return {
          ...keepAlive,
          update: (load) => {
            told.push(load.slotsUsed);
            update(load);
          },
        };
      },
      // A beat that a hint asks for tells of them at once.
      notifier: withoutControl(store.notifier),
    }),
    { clock },
  );
  const gates = [new Gate(), new Gate(), new Gate()] as const;
  const task = defineTask({ name: 'task', run: ({ input }) => (gates[input as number] as Gate).wait() });
  await longshore.worker({ tasks: [task], concurrency: 3, leaseMs: 10_000 }).start();
  for (const [input, gate] of gates.entries()) {
    await longshore.enqueue(task, input);
    await gate.reached;
  }
  assert.deepEqual(told, [0]);
  await clock.advance(199);
  assert.deepEqual(told, [0]);
  await clock.advance(1);
  assert.deepEqual(told, [0, 3]);
  for (const gate of gates) gate.open();
});

/** Hints that ask for beats come whenever a notifier begins to listen. */
function withoutControl(notifier: Notifier): Notifier {
  return {
    crossProcess: notifier.crossProcess,
    subscribe: (topic, listener) =>
      topic === 'control' ? () => undefined : notifier.subscribe(topic, listener),
  };
}

function bound(keepAlive: KeepAlive): KeepAlive {
  return {
    update: (load) => keepAlive.update(load),
    beat: () => keepAlive.beat(),
    close: () => keepAlive.close(),
  };
}
