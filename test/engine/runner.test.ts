import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRunner, type Ended } from '../../src/engine/runner.ts';
import { connect, defineTask, LongshoreError, type Strategy } from '../../src/index.ts';
import type { Events } from '../../src/telemetry/events.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { Gate } from '../stage.ts';
import { recordOf, startedRunner, workOf } from './started-runner.ts';
import * as tasks from './tasks.ts';

const ALL = Object.values(tasks);
const LANES: readonly Strategy[] = ['async', 'thread', 'process', 'auto'];

/** Of one that completed. */
function resultOf(ended: Ended): unknown {
  assert.equal(ended.state, 'completed');
  return (ended as Extract<Ended, { state: 'completed' }>).result;
}

/** Of one that failed. */
function failure(ended: Ended): {
  code: unknown;
  message: string;
  retry: boolean;
  retryInMs: number | undefined;
} {
  assert.equal(ended.state, 'failed');
  const { error, retry, retryInMs } = ended as Extract<Ended, { state: 'failed' }>;
  return { code: (error as { code?: unknown }).code, message: error.message, retry, retryInMs };
}

for (const strategy of LANES) {
  test(`work runs in the lane of its task, with the same context, results and errors (${strategy})`, async (t) => {
    const runner = startedRunner(t, { tasks: ALL, strategy });
    const input = { text: 'ü\u2028', list: [1, null, { deep: true }] };
    const ended = await runner.run(workOf(tasks.echo, input));
    assert.deepEqual(resultOf(ended), input);

    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const work = {
      attempt: 3,
      attemptsMax: 5,
      correlationId: 'order/7',
      traceparent,
      lastProgress: { row: 9 },
    };
    const told = await runner.run(workOf(tasks.facts, null, { ...work, id: 'given' }));
    const { lastProgress, ...rest } = work;
    assert.deepEqual(resultOf(told), {
      ...rest,
      id: 'given',
      task: 'facts',
      queue: 'trials',
      last: lastProgress,
    });

    const broken = failure(await runner.run(workOf(tasks.fails, null)));
    assert.deepEqual(broken, { code: undefined, message: 'it broke', retry: true, retryInMs: 250 });
  });

  test(`progress and log lines of a handler reach the engine, the last one last (${strategy})`, async (t) => {
    const runner = startedRunner(t, { tasks: ALL, strategy });
    const [progress, lines]: unknown[][] = [[], []];
    const ended = await runner.run(
      workOf(tasks.tells, null, {
        onProgress: (value) => progress?.push(value),
        onLog: ({ message, data }) => lines?.push([message, data]),
      }),
    );
    assert.deepEqual([progress?.at(-1), lines], [{ percent: 20 }, [['half way', { n: 1 }]]]);
    assert.deepEqual(resultOf(ended), { percent: 20 });
  });
}

test('an error keeps its own properties, and says whether another attempt can help', async (t) => {
  const runner = startedRunner(t, { tasks: ALL });
  const run = (input: unknown, attemptsMax?: number): Promise<Ended> =>
    runner.run(workOf(tasks.fails, input, attemptsMax === undefined ? {} : { attemptsMax }));
  const plain = (await run(null)) as Extract<Ended, { state: 'failed' }>;
  assert.ok(plain.error instanceof TypeError);
  assert.equal((plain.error as { bpmnCode?: unknown }).bpmnCode, 'E1');
  assert.equal(failure(await run('unrecoverable')).retry, false);
  assert.equal(failure(await run(null, 1)).retry, false);
  assert.equal(failure(await run('retryAfter')).retryInMs, 777);
  assert.deepEqual(await run('snooze'), { state: 'snoozed', delayMs: 500 });
  const text = (await run('text')) as Extract<Ended, { state: 'failed' }>;
  assert.deepEqual([text.error.message, text.error.cause], ['"just text"', 'just text']);
});

test('a property of an error crosses the border of a thread', async (t) => {
  const runner = startedRunner(t, { tasks: ALL, strategy: 'thread' });
  const ended = (await runner.run(workOf(tasks.fails, null))) as Extract<Ended, { state: 'failed' }>;
  assert.deepEqual([ended.error.name, (ended.error as { bpmnCode?: unknown }).bpmnCode], ['TypeError', 'E1']);
});

test('what no attempt can run fails without another one', async (t) => {
  const runner = startedRunner(t, { tasks: ALL, payloadBytesMax: 100 });
  const faults = [
    workOf(tasks.dated, { at: 'soon' }),
    workOf('nobody', null),
    workOf(tasks.echo, 'x'.repeat(200)),
    workOf(tasks.echo, { at: 1n }),
    workOf(tasks.echo, null, { timeoutMs: Number.NaN }),
    workOf(tasks.echo, null, { attempt: 0 }),
  ];
  const failures = await Promise.all(faults.map(async (work) => failure(await runner.run(work))));
  assert.deepEqual(
    failures.map(({ code, retry }) => [code, retry]),
    [
      'INPUT_INVALID',
      'TASK_UNKNOWN',
      'PAYLOAD_TOO_LARGE',
      'PAYLOAD_NOT_JSON',
      'OPTION_INVALID',
      'OPTION_INVALID',
    ].map((code) => [code, false]),
  );
  assert.match(
    failures[1]?.message ?? '',
    /no task 'nobody', which queue 'trials' asks for; the tasks are: blocks, .*echo/,
  );
});

test('a correlation id of any length and kind ties work together', async (t) => {
  const runner = startedRunner(t, { tasks: ALL });
  const ended = await runner.run(workOf(tasks.facts, null, { correlationId: `a\n${'b'.repeat(500)}` }));
  assert.equal((resultOf(ended) as { correlationId: string }).correlationId, `a ${'b'.repeat(198)}`);
});

test('what needs a store is refused with a code, in every lane, and not tried again', async (t) => {
  for (const strategy of ['async', 'thread'] as const) {
    const runner = startedRunner(t, { tasks: ALL, strategy });
    const ends = await Promise.all(
      [tasks.steps, tasks.completes, tasks.transacts].map((task) => runner.run(workOf(task, null))),
    );
    assert.deepEqual(
      ends.map(failure).map(({ code, retry }) => [code, retry]),
      ['STEPS_UNSUPPORTED', 'TRANSACTIONS_UNSUPPORTED', 'TRANSACTIONS_UNSUPPORTED'].map((code) => [
        code,
        false,
      ]),
    );
  }
});

test('a timeout of the work comes before that of its task, and is tried again', async (t) => {
  const clock = new FakeClock();
  const runner = startedRunner(t, { tasks: ALL, clock });
  const { promise: begun, resolve } = Promise.withResolvers<unknown>();
  const running = runner.run(workOf(tasks.obedient, null, { timeoutMs: 1_000, onProgress: resolve }));
  await begun;
  await clock.advance(1_000);
  const { code, retry } = failure(await running);
  assert.deepEqual([code, retry], ['JOB_TIMED_OUT', true]);
});

test('a cancel aborts the signal of a handler, and ends a thread that computes', async (t) => {
  for (const [strategy, task, stopped] of [
    ['async', tasks.obedient, false],
    ['thread', tasks.deaf, true],
    ['process', tasks.deaf, true],
  ] as const) {
    const runner = startedRunner(t, { tasks: ALL, strategy, threads: 1, processes: 1 });
    const events = recordOf(runner, 'job.cancelled', 'job.abandoned');
    const cancel = new AbortController();
    const onProgress = (): void => cancel.abort();
    assert.deepEqual(await runner.run(workOf(task, null, { signal: cancel.signal, onProgress })), {
      state: 'cancelled',
    });
    const names = events.map(({ name }) => name);
    assert.deepEqual(names, stopped ? ['job.abandoned', 'job.cancelled'] : ['job.cancelled'], strategy);
    // Its only host is free again.
    assert.equal((await runner.run(workOf(tasks.echo, 1))).state, 'completed');
  }
});

test('work that waits ends as cancelled at once, and one whose lock is lost as lost', async (t) => {
  const gate = new Gate();
  const held = defineTask({ name: 'held', run: () => gate.wait() });
  const runner = startedRunner(t, { tasks: [held], concurrency: 1 });
  const events = recordOf(runner, 'job.cancelled', 'job.lost', 'job.completed');
  const first = runner.run(workOf(held, null));
  const [cancel, lose] = [new AbortController(), new AbortController()];
  const second = runner.run(workOf(held, null, { signal: cancel.signal }));
  const third = runner.run(workOf(held, null, { signal: lose.signal }));
  await gate.reached;
  assert.equal(runner.waiting, 2);
  cancel.abort();
  lose.abort(new LongshoreError('LEASE_LOST', 'the engine says so'));
  assert.deepEqual(await Promise.all([second, third]), [{ state: 'cancelled' }, { state: 'lost' }]);
  const aborted = await runner.run(workOf(held, null, { signal: AbortSignal.abort() }));
  assert.deepEqual(aborted, { state: 'cancelled' });
  gate.open();
  assert.equal((await first).state, 'completed');
  assert.deepEqual(
    events.map(({ name }) => name),
    ['job.cancelled', 'job.lost', 'job.cancelled', 'job.completed'],
  );
});

test('two attempts with one id do not stop each other', async (t) => {
  const runner = startedRunner(t, { tasks: ALL });
  const [first, second] = [new AbortController(), new AbortController()];
  const id = 'one';
  const begun = [first, second].map((controller) => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const ended = runner.run(
      workOf(tasks.obedient, null, { id, signal: controller.signal, onProgress: resolve }),
    );
    return { promise, ended };
  });
  await Promise.all(begun.map(({ promise }) => promise));
  first.abort();
  assert.deepEqual(await begun[0]?.ended, { state: 'cancelled' });
  assert.equal(runner.running, 1);
  second.abort();
  assert.deepEqual(await begun[1]?.ended, { state: 'cancelled' });
});

test('a host that dies under its handler is an error that may be tried again', async (t) => {
  const runner = startedRunner(t, { tasks: ALL, strategy: 'process' });
  const { code, retry } = failure(await runner.run(workOf(tasks.crashes, null)));
  assert.deepEqual([code, retry], ['LANE_CRASHED', true]);
});

test('events are those of a worker, with the facts of the work', async (t) => {
  const runner = startedRunner(t, { tasks: ALL });
  const events = recordOf(
    runner,
    'worker.started',
    'job.started',
    'job.completed',
    'job.retried',
    'job.failed',
  );
  await runner.run(workOf(tasks.echo, 1, { id: 'a', correlationId: 'c', enqueuedAt: 0 }));
  await runner.run(workOf(tasks.fails, null, { id: 'b' }));
  await runner.run(workOf(tasks.fails, 'unrecoverable', { id: 'c' }));
  assert.deepEqual(
    events.map(({ name, event }) => [name, 'id' in event ? event.id : event.workerId]),
    [
      ['worker.started', runner.id],
      ['job.started', 'a'],
      ['job.completed', 'a'],
      ['job.started', 'b'],
      ['job.retried', 'b'],
      ['job.started', 'c'],
      ['job.failed', 'c'],
    ],
  );
  const started = events[1]?.event as Events['job.started'] | undefined;
  assert.equal(started?.correlationId, 'c');
  assert.ok((started?.waitMs ?? 0) > 1_000_000);
});

test('a stop lets handlers end within the grace, then aborts them; what has not begun is released', async (t) => {
  const gate = new Gate();
  const held = defineTask({ name: 'held', run: () => gate.wait() });
  const runner = startedRunner(t, { tasks: [held, tasks.obedient], concurrency: 2, graceMs: 60_000 });
  const first = runner.run(workOf(held, null));
  const second = runner.run(workOf(held, null));
  const third = runner.run(workOf(held, null));
  await gate.reached;
  const stopped = runner.stop();
  assert.deepEqual(await third, { state: 'released' });
  gate.open();
  assert.deepEqual(
    (await Promise.all([first, second])).map(({ state }) => state),
    ['completed', 'completed'],
  );
  await stopped;
  assert.deepEqual(await runner.run(workOf(held, null)), { state: 'released' });

  for (const [strategy, task] of [
    ['async', tasks.obedient],
    ['thread', tasks.deaf],
  ] as const) {
    const other = startedRunner(t, { tasks: ALL, strategy });
    const begun = Promise.withResolvers<unknown>();
    const aborted = other.run(workOf(task, null, { onProgress: begun.resolve }));
    await begun.promise;
    await other.stop({ graceMs: 0 });
    assert.deepEqual(await aborted, { state: 'released' });
  }
});

test('bad options are named before anything runs', () => {
  const make = (options: object) => () => createRunner({ engine: 'trial', tasks: ALL, ...options } as never);
  assert.throws(make({ treads: 2 }), /runner has no option "treads"; did you mean "threads"/);
  assert.throws(make({ engine: '' }), /engine is ""/);
  assert.throws(make({ tasks: 'all' }), /tasks is "all"/);
  assert.throws(make({ concurrency: 0 }), /concurrency is 0/);
  assert.throws(make({ tuner: { targetCpu: 90 } }), /tuner\.targetCpu is 90.*0\.9, not 90/);
  assert.throws(
    make({ tasks: [tasks.echo, defineTask({ name: 'echo', run: () => 1 })] }),
    /Two different tasks/,
  );
});

test('what a handler enqueues on a store inherits the correlation id of its work', async (t) => {
  const longshore = await connect('memory:');
  t.after(() => longshore.close());
  const enqueues = defineTask({
    name: 'enqueues',
    run: async () => (await longshore.enqueue('child', 1)).id,
  });
  const runner = startedRunner(t, { tasks: [enqueues] });
  const ended = await runner.run(workOf(enqueues, null, { correlationId: 'order/7' }));
  const child = await longshore.jobs.get(resultOf(ended) as string);
  assert.equal(child?.meta?.correlationId, 'order/7');
});
