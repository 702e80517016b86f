import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { defineTask, type EventName, SnoozeError } from '../../src/index.ts';
import { EVENT_NAMES } from '../../src/telemetry/events.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { advanceUntil, eventually, Gate, onEachStore, record } from '../stage.ts';

onEachStore('each event of a job has the facts of the job, and its own', async ({ connect }) => {
  const clock = new FakeClock();
  const longshore = await connect({ clock });
  const gate = new Gate();
  const snoozed = new Set<string>();
  const task = defineTask({
    name: 'task',
    attempts: 2,
    backoff: 10,
    run: async ({ input, id, signal }) => {
      if (input === 'fail') throw new Error('no');
      if (input === 'snooze' && !snoozed.has(id)) {
        snoozed.add(id);
        throw new SnoozeError(20);
      }
      if (input === 'cancel') {
        gate.wait();
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      }
    },
  });
  const seen = record(longshore, ...EVENT_NAMES.filter((name) => name.startsWith('job.')));
  const worker = longshore.worker({ tasks: [task] });
  await worker.start();
  const jobs = await longshore.enqueueMany(task, ['fine', 'fail', 'snooze', 'cancel']);
  await gate.reached;
  await longshore.jobs.cancel(jobs[3]?.id ?? '');
  await advanceUntil(clock, Promise.all(jobs.map((job) => job.ended())), 5);
  await eventually(() => worker.running === 0);
  const of = (index: number) =>
    seen.filter(({ event }) => 'id' in event && event.id === jobs[index]?.id).map(({ name }) => name);
  assert.deepEqual(of(0), ['job.enqueued', 'job.started', 'job.completed']);
  assert.deepEqual(of(1), ['job.enqueued', 'job.started', 'job.retried', 'job.started', 'job.failed']);
  assert.deepEqual(of(2), ['job.enqueued', 'job.started', 'job.snoozed', 'job.started', 'job.completed']);
  assert.deepEqual(of(3), ['job.enqueued', 'job.started', 'job.cancelled']);
  const fields = (name: EventName) => Object.keys(seen.find((one) => one.name === name)?.event ?? {}).sort();
  assert.deepEqual(fields('job.enqueued'), ['correlationId', 'id', 'queue', 'state', 'status', 'task']);
  assert.deepEqual(fields('job.started'), ['attempt', 'correlationId', 'id', 'queue', 'task', 'waitMs']);
  const end = ['attempt', 'correlationId', 'id', 'queue', 'runMs', 'task', 'waitMs'];
  assert.deepEqual(fields('job.completed'), end);
  assert.deepEqual(fields('job.retried'), [...end, 'delayMs', 'error'].sort());
  assert.deepEqual(fields('job.failed'), [...end, 'error'].sort());
  assert.deepEqual(fields('job.snoozed'), [...end, 'delayMs'].sort());
  assert.deepEqual(fields('job.cancelled'), end);
  for (const { event } of seen) {
    if ('runMs' in event) assert.ok(event.runMs >= 0);
    if ('waitMs' in event) assert.ok(event.waitMs >= 0);
  }
});

onEachStore('a worker tells when it starts, claims, settles, leads, and stops', async ({ connect }) => {
  const longshore = await connect();
  const task = defineTask({ name: 'task', run: () => undefined });
  const seen = record(
    longshore,
    'worker.started',
    'worker.claimed',
    'worker.settled',
    'worker.stopping',
    'worker.stopped',
    'leader.changed',
  );
  const worker = longshore.worker({ tasks: [task], concurrency: 2, graceMs: 70 });
  await worker.start();
  await (await longshore.enqueue(task, null)).result();
  await worker.stop();
  const first = (name: EventName) => seen.find((one) => one.name === name)?.event;
  const workerId = worker.id;
  assert.deepEqual(first('worker.started'), { workerId, tasks: ['task'], queues: ['default'], slots: 2 });
  assert.deepEqual(first('leader.changed'), { workerId, leading: true });
  assert.deepEqual(first('worker.stopping'), { workerId, running: 0, graceMs: 70 });
  assert.deepEqual(first('worker.stopped'), { workerId, aborted: 0, released: 0 });
  assert.deepEqual(Object.keys(first('worker.claimed') ?? {}), ['workerId', 'jobs', 'limit', 'tookMs']);
  assert.deepEqual(Object.keys(first('worker.settled') ?? {}), ['workerId', 'jobs', 'tookMs']);
});

onEachStore('pausing and resuming a queue is told', async ({ connect }) => {
  const longshore = await connect();
  const seen = record(longshore, 'queue.paused', 'queue.resumed');
  await longshore.queues.pause('films');
  await longshore.queues.resume('films');
  assert.deepEqual(seen, [
    { name: 'queue.paused', event: { queue: 'films' } },
    { name: 'queue.resumed', event: { queue: 'films' } },
  ]);
});

onEachStore(
  'an alert is given once when a queue holds enough dead letters, and again after it held fewer',
  async (stage) => {
    const clock = new FakeClock();
    const longshore = await stage.connect({ clock });
    const task = defineTask({
      name: 'task',
      attempts: 1,
      run: () => {
        throw new Error('no');
      },
    });
    const alerts = record(longshore, 'queue.deadLetters');
    const worker = longshore.worker({ tasks: [task], deadLetterAlert: 2, leaseMs: 30_000 });
    await worker.start();
    const fail = async (count: number) => {
      const jobs = await longshore.enqueueMany(task, new Array(count).fill(null));
      await Promise.all(jobs.map((job) => job.ended()));
    };
    const look = async () => {
      const calls = record(longshore, 'store.called');
      await eventually(async () => {
        await clock.advance(5_000);
        return calls.filter(({ event }) => event.verb === 'queues').length >= 2;
      });
    };
    await fail(1);
    await look();
    assert.equal(alerts.length, 0);
    await fail(1);
    await look();
    await look();
    assert.deepEqual(
      alerts.map(({ event }) => event),
      [{ queue: 'default', failed: 2, threshold: 2 }],
    );
    await longshore.jobs.remove({ state: 'failed' });
    await look();
    await fail(3);
    await look();
    assert.deepEqual(
      alerts.map(({ event }) => event.failed),
      [2, 3],
    );
  },
);

onEachStore('a listener that throws disturbs neither the job nor other listeners', async ({ connect, t }) => {
  const longshore = await connect();
  const uncaught: unknown[] = [];
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => uncaught.push(error));
  t.after(() => {
    process.removeAllListeners('uncaughtException');
    for (const listener of others) process.on('uncaughtException', listener);
  });
  for (const name of EVENT_NAMES) {
    longshore.on(name, () => {
      throw new Error(`listener of ${name}`);
    });
  }
  const after = record(longshore, 'job.completed', 'job.retried');
  const task = defineTask({
    name: 'task',
    backoff: 0,
    run: ({ attempt }) => {
      if (attempt === 1) throw new Error('no');
      return 'fine';
    },
  });
  const worker = longshore.worker({ tasks: [task] });
  const job = await longshore.enqueue(task, null);
  const tally = await worker.runUntilIdle();
  assert.equal(await job.result(), 'fine');
  assert.deepEqual([tally.completed, tally.retried], [1, 1]);
  assert.deepEqual(
    after.map(({ name }) => name),
    ['job.retried', 'job.completed'],
  );
  assert.ok(uncaught.some((error) => (error as Error).message === 'listener of job.completed'));
});

onEachStore('events are also published to the diagnostics channels', async ({ connect, t }) => {
  const longshore = await connect();
  const published: unknown[] = [];
  const listener = (message: unknown) => published.push(message);
  subscribe('longshore:job.completed', listener);
  t.after(() => unsubscribe('longshore:job.completed', listener));
  const task = defineTask({ name: 'task', run: () => undefined });
  const { id } = await longshore.enqueue(task, null);
  await longshore.worker({ tasks: [task] }).runUntilIdle();
  assert.deepEqual(
    published.map((event) => (event as { id: string }).id),
    [id],
  );
});

onEachStore('a removed listener hears nothing more; its twin does', async ({ connect }) => {
  const longshore = await connect();
  let calls = 0;
  const listener = () => {
    calls += 1;
  };
  const off = longshore.on('queue.paused', listener);
  longshore.on('queue.paused', listener);
  off();
  off();
  await longshore.queues.pause('q');
  assert.equal(calls, 1);
});
