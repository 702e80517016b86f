import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { connect, defineTask, type Longshore } from '../../../src/index.ts';
import { type OtelOptions, otelTracing } from '../../../src/telemetry/otel/index.ts';
import { eventually, temporaryFolder } from '../../stage.ts';
import { seven, tasks } from './programs/seven.ts';
import { inThread } from './programs/traced-task.ts';
import { keepingProvider, providerFor } from './provider.ts';

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const CORRELATION = 'messaging.message.conversation_id';

interface Stage {
  readonly longshore: Longshore;
  spans(name: string): ReturnType<ReturnType<typeof keepingProvider>['spans']>;
  readonly tracer: ReturnType<ReturnType<typeof keepingProvider>['provider']['getTracer']>;
}

async function traced(t: TestContext, options: OtelOptions = {}): Promise<Stage> {
  const { provider, spans } = keepingProvider();
  const tracing = await otelTracing({ tracerProvider: provider, ...options });
  const longshore = await connect('memory:', { tracing, logger: false });
  t.after(() => longshore.close());
  return {
    longshore,
    spans: (name) => spans().filter((span) => span.name.startsWith(name)),
    tracer: provider.getTracer('test'),
  };
}

const quiet = defineTask({ name: 'quiet', queue: 'mail', run: () => undefined });

test('a span is linked to the one that enqueued its job, and its child where that is set', async (t) => {
  for (const parent of ['none', 'all', 'steps'] as const) {
    const { longshore, spans } = await traced(t, { parent });
    await longshore.enqueue(quiet, undefined);
    await longshore.worker({ tasks: [quiet] }).runUntilIdle();
    const [sent] = spans('enqueue mail');
    const [run] = spans('run mail');
    assert.equal(run?.links[0]?.context.spanId, sent?.spanContext().spanId);
    assert.equal(run?.spanContext().traceId === sent?.spanContext().traceId, parent === 'all', parent);
    assert.equal(spans('settle mail')[0]?.parentSpanContext?.spanId, run?.spanContext().spanId);
  }
});

test('the job that its enqueuer waits for is in that trace; others are linked, unless their queue is to be in it, too', async (t) => {
  const byQueue: OtelOptions = { parent: ({ queue, awaited }) => awaited || queue === 'calls' };
  for (const [options, expected] of [
    [{}, [true, false, false]],
    [byQueue, [true, false, true]],
    [{ parent: 'steps' }, [false, false, false]],
  ] as const) {
    const { longshore, spans } = await traced(t, options);
    const worker = longshore.worker({ tasks: [quiet], queues: ['mail', 'calls'] });
    await worker.start();
    const asked = await longshore.enqueue(quiet, undefined, { awaited: true });
    await asked.result();
    const sent = [
      asked,
      await longshore.enqueue(quiet, undefined, { awaited: false }),
      await longshore.enqueue(quiet, undefined, { queue: 'calls' }),
    ];
    for (const job of sent) await job.result();
    await worker.stop();
    const ofJob = (name: string, id: string) =>
      spans(name).find(({ attributes }) => attributes['messaging.message.id'] === id);
    const isInTrace = sent.map(({ id }) => {
      const [enqueue, run, settle] = ['enqueue', 'run', 'settle'].map((name) => ofJob(name, id));
      const parent = enqueue?.spanContext();
      assert.equal(run?.links[0]?.context.spanId, parent?.spanId);
      assert.equal(settle?.parentSpanContext?.spanId, run?.spanContext().spanId);
      const isChild = run?.parentSpanContext?.spanId === parent?.spanId;
      assert.equal(isChild, run?.spanContext().traceId === parent?.traceId);
      return isChild;
    });
    assert.deepEqual(isInTrace, expected);
  }
});

test('what an awaited job enqueues is not awaited by that', async (t) => {
  const { longshore, spans } = await traced(t);
  const outer = defineTask({
    name: 'outer',
    queue: 'outer',
    run: async () => void (await longshore.enqueue(quiet, undefined)),
  });
  await longshore.enqueue(outer, undefined, { awaited: true });
  await longshore.worker({ tasks: [outer, quiet] }).runUntilIdle();
  const [run, inner] = [spans('run outer')[0]?.spanContext(), spans('run mail')[0]?.spanContext()];
  assert.notEqual(inner?.traceId, run?.traceId);
});

test('awaited is yes or no', async (t) => {
  const { longshore } = await traced(t);
  await assert.rejects(longshore.enqueue(quiet, undefined, { awaited: 'yes' as unknown as true }), {
    code: 'OPTION_INVALID',
  });
});

test('a trace context given at enqueue is gone on with', async (t) => {
  const { longshore, spans } = await traced(t, { parent: 'all' });
  await longshore.enqueue(quiet, undefined, {
    meta: { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'a=1' },
  });
  await longshore.worker({ tasks: [quiet] }).runUntilIdle();
  assert.deepEqual(
    [...spans('enqueue'), ...spans('run')].map((span) => span.spanContext().traceId),
    [TRACE, TRACE],
  );
  assert.equal(spans('enqueue')[0]?.parentSpanContext?.spanId, PARENT);
  assert.equal(spans('run')[0]?.spanContext().traceState?.get('a'), '1');
});

test('a malformed trace context, as others may have stored it, begins a new trace, and one line says so', async (t) => {
  const { provider, spans } = keepingProvider();
  const tracing = await otelTracing({ tracerProvider: provider, parent: 'all' });
  const lines = listen(t);
  const job = {
    id: 'a',
    queue: 'q',
    task: 'task',
    attempt: 1,
    workerId: 'w',
    dueAt: 0,
    claimedAt: 0,
    agoMs: 0,
  };
  for (const traceparent of [
    'nonsense',
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `ff-${TRACE}-${PARENT}-01`,
    'nonsense',
  ])
    tracing.run({ ...job, meta: JSON.stringify({ traceparent }) })?.ended('completed', null, 0);
  const runs = spans().filter(({ name }) => name === 'run q');
  assert.deepEqual([runs.length, new Set(runs.map((span) => span.spanContext().traceId)).size], [4, 4]);
  assert.equal(lines.filter((line) => line.includes('traceparent that is none')).length, 3);
});

test('the span of the run is active in the handler: its own spans and what it enqueues are below it', async (t) => {
  const { longshore, spans, tracer } = await traced(t, { parent: 'all' });
  let seen: string | null = null;
  const outer = defineTask({
    name: 'outer',
    queue: 'outer',
    run: async ({ meta }) => {
      seen = meta.traceparent;
      tracer.startSpan('own').end();
      await longshore.enqueue(quiet, undefined);
    },
  });
  await longshore.enqueue(outer, undefined, { meta: { correlationId: 'request-7' } });
  await longshore.worker({ tasks: [outer, quiet] }).runUntilIdle();
  const run = spans('run outer')[0]?.spanContext();
  assert.equal(seen, `00-${run?.traceId}-${run?.spanId}-01`);
  for (const name of ['own', 'enqueue mail'])
    assert.equal(spans(name)[0]?.parentSpanContext?.spanId, run?.spanId);
  assert.equal(spans('run mail')[0]?.spanContext().traceId, run?.traceId);
  assert.equal(spans('run outer')[0]?.attributes[CORRELATION], 'request-7');
});

test('no handler sees the context of another one, however many jobs ran before it', async (t) => {
  const { longshore, spans } = await traced(t, { parent: 'all' });
  const seen: [string, string | undefined][] = [];
  const look = defineTask({
    name: 'look',
    queue: 'look',
    run: async ({ id }) => {
      await Promise.resolve();
      seen.push([id, trace.getActiveSpan()?.spanContext().spanId]);
    },
  });
  for (let number = 0; number < 20; number += 1) await longshore.enqueue(look, undefined);
  await longshore.worker({ tasks: [look], concurrency: 3 }).runUntilIdle();
  const expected = spans('run look').map((span) => [
    span.attributes['messaging.message.id'],
    span.spanContext().spanId,
  ]);
  assert.deepEqual(new Map(seen), new Map(expected as [string, string][]));
});

test('a handler in a thread that has a tracer of its own makes spans below the run', async (t) => {
  const { longshore, spans } = await traced(t);
  const job = await longshore.enqueue(inThread, undefined);
  const worker = longshore.worker({ tasks: [inThread] });
  await worker.start();
  const seen = await job.result();
  await worker.stop();
  const run = spans('run')[0]?.spanContext();
  assert.equal(seen, `${run?.traceId} ${run?.spanId}`);
});

test('errors are recorded on the run that failed', async (t) => {
  const { longshore, spans } = await traced(t);
  const broken = defineTask({
    name: 'broken',
    attempts: 2,
    backoff: 0,
    run: () => {
      throw new RangeError('too far');
    },
  });
  await longshore.enqueue(broken, undefined);
  await longshore.worker({ tasks: [broken] }).runUntilIdle();
  const runs = spans('run');
  assert.deepEqual(
    runs.map(({ status, attributes }) => [
      status.code,
      attributes['error.type'],
      attributes['longshore.outcome'],
    ]),
    [
      [SpanStatusCode.ERROR, 'RangeError', 'retried'],
      [SpanStatusCode.ERROR, 'RangeError', 'failed'],
    ],
  );
  assert.equal(runs[0]?.events[0]?.attributes?.['exception.message'], 'too far');
});

test('an enqueue that is refused ends its span with the error', async (t) => {
  const { longshore, spans } = await traced(t);
  await longshore.enqueue(quiet, undefined);
  await longshore.close();
  await assert.rejects(longshore.enqueue(quiet, undefined), { code: 'STORE_CLOSED' });
  assert.equal(spans('enqueue').at(-1)?.attributes['error.type'], 'STORE_CLOSED');
});

test('many jobs of one call are one span, and each carries its context', async (t) => {
  const { longshore, spans } = await traced(t);
  await longshore.enqueueMany(quiet, [undefined, undefined, undefined], (_, index) => ({
    meta: { correlationId: `request-${index}` },
  }));
  const [sent, ...others] = spans('enqueue');
  assert.deepEqual([sent?.attributes['messaging.batch.message_count'], others.length], [3, 0]);
  for (const { meta } of (await longshore.jobs.list()).jobs)
    assert.equal(meta?.traceparent, `00-${sent?.spanContext().traceId}-${sent?.spanContext().spanId}-01`);
});

test('runs are traced whole or not at all, by correlation id', async (t) => {
  const { longshore, spans } = await traced(t, { ratio: 0.5 });
  for (let number = 0; number < 12; number += 1)
    await longshore.flows.start(seven, null, { meta: { correlationId: `request-${number}` } });
  await longshore.worker({ tasks, concurrency: 100 }).runUntilIdle();
  const counts = new Map<unknown, number>();
  for (const span of spans('run')) {
    const id = span.attributes[CORRELATION];
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  assert.ok(counts.size > 0 && counts.size < 12, `${counts.size} of 12`);
  assert.deepEqual(new Set(counts.values()), new Set([7]));
  assert.equal(spans('start').length, counts.size);
});

test('without a provider, nothing is stored and nothing is traced', async (t) => {
  const longshore = await connect('memory:', { tracing: await otelTracing(), logger: false });
  t.after(() => longshore.close());
  const { id } = await longshore.enqueue(quiet, undefined);
  assert.equal((await longshore.jobs.get(id))?.meta, null);
  await longshore.worker({ tasks: [quiet] }).runUntilIdle();
  assert.equal((await longshore.jobs.get(id))?.state, 'completed');
});

test('no collector, one that refuses and one that never answers: jobs go on, and one line says what is wrong', async (t) => {
  const refusing = await collector(t, (_, response) => response.writeHead(400).end('no'));
  const silent = await collector(t, () => undefined);
  const folder = await temporaryFolder(t);
  for (const [index, url] of ['http://127.0.0.1:9/v1/traces', refusing, silent].entries()) {
    const tracerProvider = providerFor(url, 300);
    const lines = listen(t);
    const store = `sqlite:${join(folder, `${index}.db`)}`;
    const longshore = await connect(store, { tracing: await otelTracing({ tracerProvider }), logger: false });
    await longshore.enqueueMany(quiet, new Array<undefined>(50).fill(undefined));
    const { completed } = await longshore.worker({ tasks: [quiet] }).runUntilIdle();
    assert.equal(completed, 50);
    await longshore.close();
    const told = (): string[] => lines.filter((line) => line.startsWith('longshore: OpenTelemetry: '));
    await eventually(() => told().length > 0);
    await tracerProvider.shutdown().catch(() => undefined);
    assert.equal(told().length, new Set(told()).size);
  }
});

test('options that there are not are refused', async () => {
  await assert.rejects(otelTracing({ ratio: 2 }), { code: 'OPTION_INVALID' });
  await assert.rejects(otelTracing({ parent: 'some' as 'all' }), { code: 'OPTION_INVALID' });
  await assert.rejects(otelTracing({ ration: 1 } as OtelOptions), { code: 'OPTION_INVALID' });
  assert.equal(trace.getActiveSpan(), undefined);
});

type Answer = Parameters<typeof createServer>[1];

async function collector(t: TestContext, answer: NonNullable<Answer>): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
}

/** What is written to standard error from now on. */
function listen(t: TestContext): string[] {
  const lines: string[] = [];
  const { mock } = t.mock.method(process.stderr, 'write', (text: string) => {
    lines.push(String(text));
    return true;
  });
  t.after(() => mock.restore());
  return lines;
}
