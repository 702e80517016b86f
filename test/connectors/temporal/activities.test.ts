import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { activityFailure, stageFor } from './stage.ts';
import { compute, echo, facts, fail, large, resume, sum } from './tasks.ts';

const RETRY_SOON = { retry: { initialInterval: 1, maximumInterval: 1 } };
const ONCE = { retry: { maximumAttempts: 1 } };

test('activities of Temporal as tasks', async (t) => {
  const stage = await stageFor(t);
  if (stage === null) return;
  const activities = { echo, compute, facts, fail, large, resume, sum, renamed: echo };
  const worker = await stage.worker({ activities, abortGraceMs: 50, threads: 2 });

  await t.test('an argument is the input, several are a list, none is undefined', async () => {
    const one = await stage.run<Record<string, unknown>>('call', 'facts', [{ a: 1 }], {
      retry: { maximumAttempts: 7 },
    });
    assert.deepEqual(one.input, { a: 1 });
    assert.deepEqual([one.task, one.queue, one.attempt, one.attemptsMax], ['facts', stage.taskQueue, 1, 7]);
    const two = await stage.run<Record<string, unknown>>('call', 'facts', [1, 'b'], {});
    assert.deepEqual(two.input, [1, 'b']);
    const none = await stage.run<Record<string, unknown>>('call', 'facts', [], {});
    assert.equal(none.input, null);
  });

  await t.test('the correlation id of an activity is the id of its workflow', async () => {
    const handle = await stage.start('call', 'facts', [], {});
    const { correlationId, id } = (await handle.result()) as Record<string, string>;
    assert.equal(correlationId, handle.workflowId);
    assert.match(id ?? '', /^[0-9a-f-]{36}\/1$/);
  });

  await t.test('the name of an activity need not be that of its task', async () => {
    assert.equal(await stage.run('call', 'renamed', ['hello'], {}), 'hello');
  });

  await t.test('a local activity is a task as well', async () => {
    assert.equal(await stage.run('callLocal', 'echo', ['near'], {}), 'near');
    assert.match(String(await stage.run('callLocal', 'compute', [1], {})), /^attempt 1/);
  });

  await t.test('the error of a handler is the cause, with its name as type', async () => {
    const failure = await activityFailure(stage.run('call', 'fail', ['plain'], ONCE));
    assert.equal(failure.message, 'out of range');
    assert.equal(failure.type, 'RangeError');
    assert.match(failure.stack ?? '', /tasks\.ts/);
    assert.equal((failure.cause as Error).message, 'the cause');
  });

  await t.test('an UnrecoverableError is not retried', async () => {
    const failure = await activityFailure(stage.run('call', 'fail', ['unrecoverable'], {}));
    assert.equal(failure.message, 'never again');
    assert.equal(failure.nonRetryable, true);
  });

  await t.test('input that does not match the schema is not retried', async () => {
    const failure = await activityFailure(stage.run('call', 'sum', [{ a: 1, b: 'two' }], {}));
    assert.equal(failure.type, 'INPUT_INVALID');
    assert.equal(failure.nonRetryable, true);
    assert.match(failure.message, /b/);
    assert.equal(await stage.run('call', 'sum', [{ a: 1, b: 2 }], {}), 3);
  });

  await t.test('a RetryAfterError says when the next attempt is', async () => {
    const retried = nextEvent(worker, 'job.retried');
    const handle = await stage.start('call', 'fail', ['later'], {});
    await retried;
    const delayMs = await pendingDelay(stage.client, handle.workflowId);
    assert.ok(delayMs > 3_000_000, String(delayMs));
    await handle.terminate();
  });

  await t.test('a result larger than Temporal takes fails with its size, and is not retried', async () => {
    const failure = await activityFailure(stage.run('call', 'large', [3_000_000], {}));
    assert.equal(failure.type, 'PAYLOAD_TOO_LARGE');
    assert.equal(failure.nonRetryable, true);
    assert.match(failure.message, /bytes/);
  });

  await t.test('an activity that no task is for says which there are', async () => {
    const failure = await activityFailure(stage.run('call', 'ecko', ['x'], ONCE));
    assert.equal(failure.type, 'TASK_UNKNOWN');
    assert.match(failure.message, /No task here for activity "ecko"\. Did you mean "echo"\?/);
  });

  await t.test('progress of a failed attempt is there for the next one', async () => {
    assert.deepEqual(
      await stage.run('call', 'resume', [null], { ...RETRY_SOON, heartbeatTimeout: '1 minute' }),
      {
        page: 7,
      },
    );
  });

  await t.test('a thread computes for longer than the heartbeat timeout, in one attempt', async () => {
    const result = await stage.run('call', 'compute', [8_000], { heartbeatTimeout: '5 seconds' });
    assert.equal(result, 'attempt 1, true');
  });

  await t.test(
    'a cancelled workflow ends code that computes in a thread, with a heartbeat timeout or without',
    async () => {
      for (const options of [{ heartbeatTimeout: '1 minute' }, {}]) {
        const started = nextEvent(worker, 'job.started');
        const abandoned = nextEvent(worker, 'job.abandoned');
        const handle = await stage.start('call', 'compute', [600_000], options);
        await started;
        await handle.cancel();
        const [event] = await abandoned;
        assert.equal((event as { stopped: boolean }).stopped, true);
        await assert.rejects(
          handle.result(),
          (error: Error) => (error.cause as Error).name === 'CancelledFailure',
        );
      }
    },
  );

  await t.test('the time that Temporal allows an activity is the timeout of its code', async () => {
    const abandoned = nextEvent(worker, 'job.abandoned');
    const running = stage.run('call', 'compute', [600_000], { ...ONCE, startToCloseTimeout: '1 second' });
    const failure = await activityFailure(running);
    assert.match(failure.message, /timeout|timed out|longer/i);
    await abandoned;
  });
});

type Worker = Awaited<ReturnType<NonNullable<Awaited<ReturnType<typeof stageFor>>>['worker']>>;

function nextEvent(worker: Worker, name: Parameters<Worker['on']>[0]): Promise<unknown[]> {
  const target = new EventTarget();
  const heard = once(target, name);
  let last: unknown = null;
  const end = worker.on(name, (event) => {
    end();
    last = event;
    target.dispatchEvent(new Event(name));
  });
  return heard.then(() => [last]);
}

/** How long from now until the next attempt of the only activity. */
async function pendingDelay(
  client: NonNullable<Awaited<ReturnType<typeof stageFor>>>['client'],
  workflowId: string,
): Promise<number> {
  for (;;) {
    const described = await client.workflow.getHandle(workflowId).describe();
    const [activity] = described.raw.pendingActivities ?? [];
    const at = activity?.nextAttemptScheduleTime ?? activity?.scheduledTime;
    if (activity?.lastFailure && at) return Number(at.seconds) * 1_000 - Date.now();
  }
}
