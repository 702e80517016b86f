import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { connect, defineTask, type Longshore, SnoozeError, UnrecoverableError } from '../../src/index.ts';
import { FakeClock, jobSpy } from '../../src/testing/index.ts';
import { advanceUntil } from '../stage.ts';

const welcome = defineTask<{ to: string }, { sent: string }>({
  name: 'welcome',
  run: ({ input }) => ({ sent: `welcome, ${input.to}` }),
});

const flaky = defineTask<{ fails: number }, void>({
  name: 'flaky',
  run: ({ input, attempt }) => {
    if (attempt <= input.fails) throw new Error(`attempt ${attempt}`);
  },
});

const hopeless = defineTask({
  name: 'hopeless',
  run: () => {
    throw new UnrecoverableError('no such account');
  },
});

const snoozing = defineTask({
  name: 'snoozing',
  run: () => {
    throw new SnoozeError(60_000);
  },
});

const TASKS = [welcome, flaky, hopeless, snoozing];

test('a job that completed before the wait is found, and one that completes after it', async (t) => {
  const longshore = await memory(t);
  const spy = jobSpy(longshore);
  const worker = longshore.worker({ tasks: TASKS });
  const first = await longshore.enqueue(welcome, { to: 'ada' });
  await worker.runUntilIdle();
  const before = await spy.waitForJob({ task: welcome });
  assert.deepEqual(before, {
    id: first.id,
    task: 'welcome',
    queue: 'default',
    attempt: 1,
    error: null,
    input: { to: 'ada' },
    result: { sent: 'welcome, ada' },
  });
  spy.clear();
  const after = spy.waitForJob({ task: welcome });
  const second = await longshore.enqueue(welcome, { to: 'bob' });
  await worker.runUntilIdle();
  assert.equal((await after).id, second.id);
});

test('jobs are told apart by task, id and input', async (t) => {
  const longshore = await memory(t);
  const spy = jobSpy(longshore);
  const inputs = ['ada', 'bob', 'eve'].map((to) => ({ to }));
  const [, bob] = await longshore.enqueueMany(welcome, inputs);
  await longshore.enqueue(hopeless, null);
  await longshore.worker({ tasks: TASKS }).runUntilIdle();
  const byInput = await spy.waitForJob({ task: welcome, data: ({ to }) => to === 'eve' });
  assert.equal(byInput.result?.sent, 'welcome, eve');
  assert.deepEqual((await spy.waitForJob({ id: bob?.id ?? '' })).input, { to: 'bob' });
  const failed = await spy.waitForJob({ task: 'hopeless' }, 'failed');
  assert.equal(failed.error?.message, 'no such account');
});

test('every moment of a job can be waited for', async (t) => {
  const clock = new FakeClock();
  const longshore = await memory(t, clock);
  const spy = jobSpy(longshore);
  const worker = longshore.worker({ tasks: TASKS });
  const job = await longshore.enqueue(flaky, { fails: 1 });
  await longshore.enqueue(snoozing, null);
  await worker.start();
  for (const moment of ['enqueued', 'started', 'retried', 'completed'] as const) {
    const seen = await advanceUntil(clock, spy.waitForJob({ task: flaky }, moment));
    assert.equal(seen.id, job.id);
    assert.equal(seen.attempt, { enqueued: 0, started: 1, retried: 1, completed: 2 }[moment]);
  }
  await spy.waitForJob({ task: 'snoozing' }, 'snoozed');
});

test('a running job that is cancelled is seen', async (t) => {
  const longshore = await memory(t);
  const spy = jobSpy(longshore);
  const endless = defineTask({
    name: 'endless',
    run: ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  });
  await longshore.worker({ tasks: [endless] }).start();
  const { id } = await longshore.enqueue(endless, null);
  await spy.waitForJob({ id }, 'started');
  await longshore.jobs.cancel(id);
  assert.equal((await spy.waitForJob({ id }, 'cancelled')).id, id);
});

test('a job that is cancelled before it starts is seen', async (t) => {
  const longshore = await memory(t);
  const spy = jobSpy(longshore);
  const task = defineTask({ name: 'task', run: () => undefined });
  const { id } = await longshore.enqueue(task, null);
  await longshore.jobs.cancel(id);
  assert.equal((await spy.waitForJob({ task }, 'cancelled')).attempt, 0);
});

test('a wait that ends in vain says what was seen instead', async (t) => {
  const longshore = await memory(t);
  const spy = jobSpy(longshore);
  const { id } = await longshore.enqueue(hopeless, null);
  await longshore.worker({ tasks: TASKS }).runUntilIdle();
  await assert.rejects(spy.waitForJob({ task: hopeless }, 'completed', { timeoutMs: 1 }), {
    code: 'RESULT_TIMEOUT',
    message: `No job of task "hopeless" was completed within 1 ms. Seen of such jobs: enqueued hopeless ${id}, started hopeless ${id}, failed hopeless ${id} (no such account).`,
  });
});

test('what is remembered is bounded, can be cleared, and ends with stop', async (t) => {
  const longshore = await memory(t);
  const spy = jobSpy(longshore, { remember: 2 });
  const [first, , third] = await longshore.enqueueMany(welcome, [{ to: 'a' }, { to: 'b' }, { to: 'c' }]);
  assert.equal((await spy.waitForJob({ id: third?.id ?? '' }, 'enqueued')).id, third?.id);
  await assertUnseen(spy.waitForJob({ id: first?.id ?? '' }, 'enqueued', { timeoutMs: 1 }));
  spy.clear();
  await assertUnseen(spy.waitForJob({}, 'enqueued', { timeoutMs: 1 }));
  spy.stop();
  await longshore.enqueue(welcome, { to: 'd' });
  await assertUnseen(spy.waitForJob({}, 'enqueued', { timeoutMs: 1 }));
});

test('an enqueue that met the holder of its unique key is no new job', async (t) => {
  const longshore = await memory(t);
  const { id } = await longshore.enqueue(welcome, { to: 'a' }, { unique: {} });
  const spy = jobSpy(longshore);
  await longshore.enqueue(welcome, { to: 'a' }, { unique: {} });
  await assertUnseen(spy.waitForJob({ id }, 'enqueued', { timeoutMs: 1 }));
});

test('a predicate that throws ends the wait with its error; unknown options are named', async (t) => {
  const longshore = await memory(t);
  const spy = jobSpy(longshore);
  await longshore.enqueue(welcome, { to: 'a' });
  const failure = new Error('from the predicate');
  const data = (): boolean => {
    throw failure;
  };
  await assert.rejects(spy.waitForJob({ data }, 'enqueued'), failure);
  const wrong = { name: 'welcome' } as object;
  await assert.rejects(spy.waitForJob(wrong), { code: 'OPTION_INVALID', message: /'?task'?/ });
  await assert.rejects(spy.waitForJob({}, 'done' as 'completed'), { code: 'OPTION_INVALID' });
  assert.throws(() => jobSpy(longshore, { remember: 0 }), { code: 'OPTION_INVALID' });
});

async function memory(t: TestContext, clock?: FakeClock): Promise<Longshore> {
  const longshore = await connect('memory:', { logger: false, ...(clock === undefined ? {} : { clock }) });
  t.after(async () => {
    const closed = longshore.close();
    await (clock === undefined ? closed : advanceUntil(clock, closed));
  });
  return longshore;
}

function assertUnseen(wait: Promise<unknown>): Promise<void> {
  return assert.rejects(wait, { code: 'RESULT_TIMEOUT' });
}

test('a job that sleeps is snoozed, and completes when the time was moved on', async (t) => {
  const clock = new FakeClock();
  const longshore = await connect('memory:', { clock, logger: false });
  t.after(() => longshore.close());
  const spy = jobSpy(longshore);
  const task = defineTask({
    name: 'sleeper',
    run: async ({ sleep, waitFor }) => {
      await sleep('a while', 10_000);
      return waitFor('approval', { timeoutMs: 10_000 });
    },
  });
  const worker = longshore.worker({ tasks: [task] });
  const job = await longshore.enqueue(task, null);
  assert.equal((await worker.runUntilIdle()).snoozed, 1);
  assert.equal((await spy.waitForJob({ task }, 'snoozed')).attempt, 1);
  await worker.start();
  const completed = spy.waitForJob({ task });
  assert.equal((await advanceUntil(clock, completed)).result, null);
  assert.equal((await longshore.jobs.get(job.id))?.attempt, 1);
});
