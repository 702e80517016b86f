import assert from 'node:assert/strict';
import { defineTask } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import {
  advanceUntil,
  eventually,
  Gate,
  nextEvent,
  nextEvents,
  onEachStore,
  record,
  SHARED_KINDS,
} from '../stage.ts';

const SILENT = { crossProcess: false, subscribe: () => () => undefined };
const NEVER_MS = 3_600_000;

const task = defineTask({ name: 'task', run: ({ input }) => input });

onEachStore('an idle worker starts a new job without polling', async ({ connect }) => {
  const longshore = await connect();
  await longshore.worker({ tasks: [task], pollMs: NEVER_MS }).start();
  for (const input of [1, 2, 3]) assert.equal(await (await longshore.enqueue(task, input)).result(), input);
});

onEachStore('a delayed job starts when it is due, without polling', async ({ connect }) => {
  const longshore = await connect();
  await longshore.worker({ tasks: [task], pollMs: NEVER_MS }).start();
  const enqueued = record(longshore, 'job.enqueued');
  const late = await longshore.enqueue(task, 'late', { delayMs: 60 });
  const soon = await longshore.enqueue(task, 'soon', { at: Date.now() + 30 });
  assert.equal(await late.result(), 'late');
  const [first, second] = await Promise.all([soon.ended(), late.ended()]);
  // On a busy machine the second one is due as it arrives; a claim may then have looked at the clock before.
  const [, state] = enqueued.map(({ event }) => event.state);
  for (const job of state === 'scheduled' ? [first, second] : [second])
    assert.ok((job.startedAt ?? 0) >= job.dueAt, 'it started before it was due');
});

onEachStore('a delayed job does not start before its time', async ({ connect }) => {
  const clock = new FakeClock();
  const longshore = await connect({ clock });
  const worker = longshore.worker({ tasks: [task], pollMs: 1_000 });
  await worker.start();
  const started = nextEvent(longshore, 'job.started');
  const job = await longshore.enqueue(task, null, { delayMs: 10_000 });
  const dueAt = clock.now() + 10_000;
  let startedAt = 0;
  void started.then(() => {
    startedAt = clock.now();
  });
  await eventually(async () => {
    if (startedAt === 0) await clock.advance(250);
    return startedAt > 0;
  });
  assert.ok(startedAt >= dueAt);
  await job.ended();
});

onEachStore('polling alone is enough', async ({ connectThrough }) => {
  const longshore = await connectThrough(() => ({ notifier: SILENT }));
  await longshore.worker({ tasks: [task], pollMs: 20 }).start();
  const jobs = await longshore.enqueueMany(task, [1, 2, 3]);
  const delayed = await longshore.enqueue(task, 4, { delayMs: 30 });
  assert.deepEqual(await Promise.all([...jobs, delayed].map((job) => job.result())), [1, 2, 3, 4]);
});

onEachStore('a worker that polls looks once per interval and no more', async ({ connectThrough }) => {
  const clock = new FakeClock();
  let claims = 0;
  const longshore = await connectThrough(
    (store) => ({
      notifier: SILENT,
      claim: (request) => {
        claims += 1;
        return store.claim(request);
      },
    }),
    { clock },
  );
  const worker = longshore.worker({ tasks: [task], pollMs: 1_000, roles: ['processing'] });
  const claimed = nextEvent(longshore, 'worker.claimed');
  await worker.start();
  await claimed;
  for (let round = 2; round <= 5; round += 1) {
    const next = nextEvent(longshore, 'worker.claimed');
    await clock.advance(999);
    assert.equal(claims, round - 1);
    await clock.advance(1);
    await next;
    assert.equal(claims, round);
  }
});

onEachStore('hints that come in a burst, or for nothing, are harmless', async ({ connectThrough }) => {
  const listeners = new Set<() => void>();
  const longshore = await connectThrough(() => ({
    notifier: {
      crossProcess: false,
      subscribe: (_topic, listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
  }));
  const worker = longshore.worker({ tasks: [task], pollMs: NEVER_MS });
  await worker.start();
  const burst = () => {
    for (let times = 0; times < 1_000; times += 1) for (const listener of [...listeners]) listener();
  };
  burst();
  const jobs = await longshore.enqueueMany(task, [1, 2, 3]);
  const results = Promise.all(jobs.map((job) => job.result()));
  const done = results.then(() => true);
  let over = false;
  void done.then(() => {
    over = true;
  });
  await eventually(() => {
    burst();
    return over;
  });
  assert.deepEqual(await results, [1, 2, 3]);
  await worker.stop();
  assert.equal(listeners.size, 0, 'a subscription was left behind');
});

onEachStore(
  'a job enqueued on another connection wakes an idle worker',
  async ({ connect }) => {
    const [here, there] = [await connect(), await connect()];
    await here.worker({ tasks: [task], pollMs: NEVER_MS }).start();
    assert.equal(await (await there.enqueue(task, 'hello')).result(), 'hello');
  },
  SHARED_KINDS,
);

for (const queue of ['default', '*']) {
  onEachStore(
    `while '${queue}' is paused a running worker claims nothing; it goes on after the resume`,
    async (stage) => {
      const longshore = await stage.connect();
      await longshore.worker({ tasks: [task], pollMs: NEVER_MS }).start();
      await (await longshore.enqueue(task, 0)).result();
      await longshore.queues.pause(queue);
      const looked = nextEvents(longshore, 'worker.claimed', 1);
      const jobs = await longshore.enqueueMany(task, [1, 2, 3]);
      assert.equal((await looked)[0]?.jobs, 0);
      assert.equal((await longshore.jobs.list({ state: 'ready' })).jobs.length, 3);
      await longshore.queues.resume(queue);
      assert.deepEqual(await Promise.all(jobs.map((job) => job.result())), [1, 2, 3]);
    },
  );
}

onEachStore('a paused queue does not hold up the others, and running jobs go on', async ({ connect }) => {
  const longshore = await connect();
  const gate = new Gate();
  const slow = defineTask({ name: 'slow', queue: 'a', run: () => gate.wait() });
  const other = defineTask({ name: 'other', queue: 'b', run: () => 'ran' });
  await longshore.worker({ tasks: [slow, other] }).start();
  const running = await longshore.enqueue(slow, null);
  await gate.reached;
  await longshore.queues.pause('a');
  const waiting = await longshore.enqueue(slow, null);
  assert.equal(await (await longshore.enqueue(other, null)).result(), 'ran');
  gate.open();
  await running.result();
  assert.equal((await longshore.jobs.get(waiting.id))?.state, 'ready');
});

for (const aheadMs of [60_000, -60_000]) {
  onEachStore(
    `a delayed job is waited for by the store's clock when this machine's is ${aheadMs} ms ahead`,
    async ({ connectThrough }) => {
      const clock = new FakeClock();
      let claims = 0;
      const longshore = await connectThrough(
        (store) => ({
          notifier: SILENT,
          claim: async (request) => {
            claims += 1;
            const { now, leases, nextDueAt } = await store.claim(request);
            return { now: now - aheadMs, leases, nextDueAt: nextDueAt === null ? null : nextDueAt - aheadMs };
          },
        }),
        { clock },
      );
      const job = await longshore.enqueue(task, 'late', { delayMs: 10_000 });
      const claimed = nextEvent(longshore, 'worker.claimed');
      await longshore.worker({ tasks: [task], pollMs: NEVER_MS }).start();
      await claimed;
      await clock.advance(9_999);
      assert.equal(claims, 1);
      await clock.advance(1);
      assert.equal(await advanceUntil(clock, job.result()), 'late');
    },
  );
}
