import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AnyTask,
  connect,
  defineFlow,
  isTask,
  type JobDetail,
  type JobHandle,
  type Longshore,
} from '../../src/index.ts';
import { HOSTILE } from '../hostile.ts';
import { eventually, nextEvent, record } from '../stage.ts';
import * as behaviours from './tasks/behaviours.ts';

/** What every lane must do alike; a file each runs it for inline, threads and processes. */
export function strategySuite(strategy: 'async' | 'thread' | 'process'): void {
  const { longshore, run, failing } = stageFor(strategy);

  test('results come back as they were returned', async () => {
    const input = { text: 'ü\u2028\0 "', list: [1, null, { deep: true }], number: 1e21 };
    assert.deepEqual(await run(behaviours.echo, input), input);
    assert.equal(await run(behaviours.nothing, null), undefined);
    assert.equal(((await run(behaviours.echo, 'x'.repeat(500_000))) as string).length, 500_000);
  });

  test("a handler gets the schema's output, not what crossed a border", async () => {
    const result = await run(behaviours.dated, { at: '2031-05-06T07:08:09Z' });
    assert.deepEqual(result, { isDate: true, year: 2031 });
    assert.equal(await run(behaviours.slowSchema, 2), 2);
  });

  test('an input that does not fit the schema any more fails at once, whatever attempts are left', async () => {
    for (const [name, input] of [
      ['dated', { at: 'soon' }],
      ['slow-schema', 5],
    ] as const) {
      const { state, errors } = await failing(
        await (await longshore()).enqueue(name, input, { attempts: 5 }),
      );
      assert.deepEqual([state, errors.length, errors[0]?.code], ['failed', 1, 'INPUT_INVALID']);
    }
  });

  test('the context tells the same', async () => {
    const meta = { correlationId: 'order/7', tags: ['a', 'b'] };
    const job = await (await longshore()).enqueue(behaviours.facts, { n: 1 }, { meta, timeoutMs: 60_000 });
    assert.deepEqual(await job.result(), {
      id: job.id,
      task: 'facts',
      queue: 'fact-queue',
      key: 'fact-key',
      meta: {
        ...meta,
        traceparent: null,
        tracestate: null,
        backoff: null,
        timeoutMs: 60_000,
        schedule: null,
        scheduledAt: null,
      },
      correlationId: 'order/7',
      flow: null,
      attempt: 1,
      attemptsMax: 4,
      input: { n: 1 },
      aborted: false,
    });
  });

  test('a step is told its run, and which item it is', async () => {
    const flow = defineFlow({
      name: 'told',
      steps: (s) => s.each('one', behaviours.facts, { over: ['a', 'b'], input: ({ item }) => item }),
    });
    const run = await (await longshore()).flows.start(flow, null, { id: 'told-1' });
    const results = (await run.result()) as unknown as { flow: unknown; correlationId: string }[];
    const place = { run: 'told-1', flow: 'told', step: 'one', undo: false };
    assert.deepEqual(
      results.map((result) => [result.flow, result.correlationId]),
      [0, 1].map((item) => [{ ...place, item }, 'told-1']),
    );
  });

  test('what a handler enqueues inherits its correlation id and trace', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const plain = await (await longshore()).enqueue(behaviours.enqueues);
    assert.deepEqual(await plain.result(), [
      [plain.id, null],
      ['given', null],
    ]);
    const meta = { correlationId: 'order/7', traceparent };
    const traced = await (await longshore()).enqueue(behaviours.enqueues, undefined, { meta });
    assert.deepEqual(await traced.result(), [
      ['order/7', traceparent],
      ['given', traceparent],
    ]);
  });

  test('progress and log lines are kept, in order', async () => {
    const connected = await longshore();
    const job = await connected.enqueue(behaviours.tells, null);
    await job.result();
    const kept = await connected.jobs.get(job.id);
    assert.deepEqual(kept?.progress, { percent: 90 });
    const lines = await logsOf(connected, job.id);
    assert.deepEqual(lines, [
      ['first', { n: 1 }],
      ['second', undefined],
    ]);
  });

  test('a log line or a progress that cannot be kept is thrown into the handler', async () => {
    const codes = [];
    for (const task of [behaviours.badLog, behaviours.badProgress, behaviours.badHeartbeat]) {
      const { errors } = await failing(await (await longshore()).enqueue(task, null));
      codes.push(errors[0]?.code);
    }
    assert.deepEqual(codes, ['OPTION_INVALID', 'PAYLOAD_NOT_JSON', 'PAYLOAD_NOT_JSON']);
  });

  test('an attempt finds the details of the last heartbeat of the one before', async () => {
    assert.deepEqual(await run(behaviours.resumes, null), { first: 6, last: { row: 9 } });
  });

  test('a handler that goes silent is stopped; one that beats in a loop is not', async () => {
    const connected = await longshore();
    const { errors } = await failing(await connected.enqueue(behaviours.goesSilent, null));
    assert.deepEqual(
      errors.map(({ code }) => code),
      ['JOB_HEARTBEAT_MISSED'],
    );
    const job = await connected.enqueue(behaviours.beats, null);
    assert.equal(await job.result(), true);
    assert.ok((await connected.jobs.get(job.id))?.progress);
  });

  test('what a handler throws is kept with name, message, code, stack and causes', async () => {
    const { errors } = await failing(await (await longshore()).enqueue(behaviours.throwsTypeError, null));
    const [error] = errors;
    assert.deepEqual([error?.name, error?.message, error?.code], ['TypeError', 'the outer one', 'E_OUTER']);
    assert.match(
      error?.stack ?? '',
      /behaviours\.ts:\d+[\s\S]*caused by: RangeError: the inner one[\s\S]*behaviours\.ts/,
    );
    const text = await failing(await (await longshore()).enqueue(behaviours.throwsText, null));
    assert.equal(text.errors[0]?.message, 'The handler threw "just text", not an Error.');
  });

  test('whatever a handler throws, its job fails with an error that can be read, and its host lives on', async () => {
    const connected = await longshore();
    await run(behaviours.echo, null);
    const hosts = record(connected, 'host.ended');
    for (const name of Object.keys(HOSTILE))
      for (const task of [behaviours.throwsHostile, behaviours.rejectsHostile]) {
        const { state, errors } = await failing(await connected.enqueue(task, name));
        const [error] = errors;
        assert.deepEqual([name, state, errors.length, error?.code], [name, 'failed', 1, null]);
        assert.equal(typeof error?.message, 'string');
        const texts = [error?.name, error?.message, error?.stack ?? ''].join();
        assert.ok(texts.length < 20_000 && texts.isWellFormed(), name);
      }
    for (const name of ['a revoked proxy', 'a proxy whose traps throw', 'an object that throws as text'])
      await failing(await connected.enqueue(behaviours.returnsHostile, name));
    const retried = nextEvent(connected, 'job.retried');
    await connected.enqueue(behaviours.backsOffHostile, null);
    assert.match((await retried).error.message, /^again \(backoff failed: .+\)$/);
    assert.deepEqual(hosts, []);
  });

  test('a backoff function is given the error with its properties and its cause', async () => {
    behaviours.seenByBackoff.length = 0;
    assert.equal(await run(behaviours.asksBackoff, null), 'second time');
    const [seen] = behaviours.seenByBackoff as (Error & { status: number })[];
    assert.ok(seen instanceof Error);
    assert.deepEqual([seen.name, seen.message, seen.status], ['OwnError', 'teapot', 418]);
    assert.ok(seen.cause instanceof TypeError);
  });

  test('UnrecoverableError, RetryAfterError and SnoozeError mean what they mean', async () => {
    const connected = await longshore();
    const { state, errors } = await failing(await connected.enqueue(behaviours.unrecoverable, null));
    assert.deepEqual([state, errors.length, errors[0]?.name], ['failed', 1, 'UnrecoverableError']);
    const retried = nextEvent(connected, 'job.retried');
    await connected.enqueue(behaviours.retriesAfter, null);
    assert.equal((await retried).delayMs, 123_456);
    const snoozed = nextEvent(connected, 'job.snoozed');
    await connected.enqueue(behaviours.snoozes, null);
    assert.equal((await snoozed).delayMs, 654_321);
  });

  test('a result that is not JSON fails the job at once', async () => {
    const { errors } = await failing(await (await longshore()).enqueue(behaviours.returnsFunction, null));
    assert.deepEqual(
      errors.map(({ code }) => code),
      ['PAYLOAD_NOT_JSON'],
    );
  });

  test('durable steps are kept, sleeps and waits end the attempt uncharged', async () => {
    const connected = await longshore();
    const job = await connected.enqueue(behaviours.durable, null);
    await eventually(async () => {
      const { steps = [] } = (await connected.jobs.get(job.id)) ?? {};
      return steps.some(({ name, state }) => name === 'signal' && state === 'waiting');
    });
    await connected.jobs.signal(job.id, 'signal', { text: 'ü\u2028' });
    const { drawn, ...rest } = (await job.result()) as { drawn: object };
    assert.deepEqual(rest, { one: true, two: 2, signal: { text: 'ü\u2028' }, missed: null });
    const { attempt, logs = [], errors } = (await connected.jobs.get(job.id)) ?? {};
    assert.deepEqual([attempt, errors?.map(({ message }) => message)], [2, ['again']]);
    assert.ok(logs.length >= 4);
    for (const { data } of logs) assert.deepEqual(data, drawn);
  });

  test('faults of durable steps are errors of the attempt', async () => {
    const connected = await longshore();
    for (const code of ['STEP_DUPLICATE', 'PAYLOAD_NOT_JSON', 'SUSPENSION_SWALLOWED', 'OWN']) {
      const { errors } = await failing(await connected.enqueue(behaviours.durableFaults, code));
      assert.deepEqual(
        errors.map((error) => error.code),
        [code],
      );
    }
  });

  test('jobs with durable steps come among short ones', async () => {
    const inputs = Array.from({ length: 300 }, (_, number) => number);
    const jobs = await (await longshore()).enqueueMany(behaviours.mostlyShort, inputs);
    assert.deepEqual(await Promise.all(jobs.map((job) => job.result())), inputs);
  });

  test('the signal aborts when the job is cancelled, with a reason that says so', async () => {
    const connected = await longshore();
    const job = await connected.enqueue(behaviours.waitsForSignal, null);
    await eventually(async () => (await logsOf(connected, job.id)).length === 1);
    const cancelled = nextEvent(connected, 'job.cancelled');
    await connected.jobs.cancel([job.id]);
    assert.equal((await cancelled).id, job.id);
    assert.equal((await connected.jobs.get(job.id))?.state, 'cancelled');
    const lines = await logsOf(connected, job.id);
    assert.deepEqual(lines, [
      ['waiting', undefined],
      ['stopped', { code: 'JOB_CANCELLED' }],
    ]);
  });
}

async function logsOf(longshore: Longshore, id: string): Promise<unknown[]> {
  const logs = (await longshore.jobs.get(id))?.logs ?? [];
  return logs.map(({ message, data }) => [message, data]);
}

function stageFor(strategy: 'async' | 'thread' | 'process') {
  let opened: Promise<Longshore> | null = null;
  const open = async (): Promise<Longshore> => {
    const longshore = await connect('memory:', { workerSettings: { graceMs: 100, abortGraceMs: 5_000 } });
    const tasks = Object.values<unknown>(behaviours).filter((value): value is AnyTask => isTask(value));
    await longshore.worker({ tasks, strategy }).start();
    return longshore;
  };
  const longshore = (): Promise<Longshore> => {
    opened ??= open();
    return opened;
  };
  test.after(async () => (await opened)?.close());
  return {
    longshore,
    run: async (task: { readonly name: string }, input: unknown): Promise<unknown> =>
      (await (await longshore()).enqueue(task.name, input)).result(),
    failing: async (job: JobHandle): Promise<JobDetail> => {
      await job.result().catch(() => undefined);
      return (await (await longshore()).jobs.get(job.id)) as JobDetail;
    },
  };
}
