import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect, type Phase, type Trace } from '../../../src/index.ts';
import { otelTracing } from '../../../src/telemetry/otel/index.ts';
import { eventually, temporaryFolder } from '../../stage.ts';
import { type JaegerSpan, jaegerFor, tagOf } from '../programs.ts';
import { seven, work } from './programs/seven.ts';
import { sendingProvider } from './provider.ts';

const WORKER = fileURLToPath(new URL('programs/worker.ts', import.meta.url));
const CORRELATION = 'messaging.message.conversation_id';
const STEPS = ['start', 'left', 'right', 'check', 'convert', 'join', 'finish'];

test('a run in another process is whole in Jaeger by its correlation id, and adds up as `longshore trace` does', async (t) => {
  const jaeger = await jaegerFor(t);
  if (jaeger === null) return;
  const url = `sqlite:${join(await temporaryFolder(t), 'jobs.db')}`;
  const tracerProvider = sendingProvider(t, jaeger.collector);
  const longshore = await connect(url, { tracing: await otelTracing({ tracerProvider }), logger: false });
  t.after(() => longshore.close());
  await startWorker(t, url, jaeger.collector);
  const follow = async (correlationId: string): Promise<Followed> => {
    const beganAt = performance.now();
    const run = await longshore.flows.start(seven, null, { meta: { correlationId } });
    await run.result();
    const clientMs = performance.now() - beganAt;
    await tracerProvider.forceFlush();
    const trace = (await longshore.trace(run.id)) as Trace;
    const found = (): Promise<readonly JaegerSpan[]> => jaeger.spans(CORRELATION, correlationId);
    // The last decision is told after all others.
    await eventually(async () =>
      named(await found(), 'advance').some((span) => tagOf(span, 'longshore.state') === 'completed'),
    );
    await eventually(async () => named(await found(), 'settle').length === STEPS.length);
    return { run: run.id, clientMs, trace, spans: await found() };
  };

  const first = await follow('request-7');
  requireWhole(first);
  const heavy = named(first.spans, 'run').find((span) => stepOf(span) === 'convert');
  const { result } =
    (await longshore.flows.get(first.run))?.steps.find(({ name }) => name === 'convert') ?? {};
  assert.match(String(result), new RegExp(`^convert 00-${heavy?.traceID}-${heavy?.spanID}-01$`));

  // A busy machine may come between two readings of a clock; what is wrong is wrong every time.
  const apart: { readonly share: number; readonly runMs: number }[] = [];
  const isClose = () =>
    apart.some(({ share }) => share < 0.05) && apart.some(({ runMs }) => runMs < RUN_APART_MS);
  while (apart.length < RUNS_MAX && !isClose()) {
    const followed = await follow(`request-${8 + apart.length}`);
    requireWhole(followed);
    const share = Math.abs(sumAlong(followed) - followed.clientMs) / followed.clientMs;
    apart.push({ share, runMs: handlersApartMs(followed) });
  }
  assert.ok(isClose(), `spans, client and store are apart by ${JSON.stringify(apart)}`);
});

async function startWorker(t: TestContext, store: string, collector: string): Promise<void> {
  const worker = fork(WORKER, [store, collector]);
  t.after(() => worker.kill('SIGKILL'));
  await once(worker, 'message');
}

test('a job in another process that a request waits for is in the trace of the request; one that it does not wait for is linked', async (t) => {
  const jaeger = await jaegerFor(t);
  if (jaeger === null) return;
  const url = `sqlite:${join(await temporaryFolder(t), 'jobs.db')}`;
  const tracerProvider = sendingProvider(t, jaeger.collector);
  const longshore = await connect(url, { tracing: await otelTracing({ tracerProvider }), logger: false });
  t.after(() => longshore.close());
  await startWorker(t, url, jaeger.collector);
  for (const awaited of [true, false]) {
    const correlationId = `request-${awaited}`;
    const input = { step: 'alone', after: [] };
    const job = await longshore.enqueue(work, input, { awaited, meta: { correlationId } });
    await job.result();
    await tracerProvider.forceFlush();
    const found = (): Promise<readonly JaegerSpan[]> => jaeger.spans(CORRELATION, correlationId);
    await eventually(async () => named(await found(), 'settle').length === 1);
    const spans = await found();
    const [enqueue] = named(spans, 'enqueue');
    const [run] = named(spans, 'run');
    // Jaeger tells a parent that is linked as well by its link alone.
    assert.ok(run?.references.some(({ spanID }) => spanID === enqueue?.spanID));
    assert.equal(new Set(spans.map(({ traceID }) => traceID)).size, awaited ? 1 : 2);
  }
});

interface Followed {
  readonly run: string;
  readonly clientMs: number;
  readonly trace: Trace;
  readonly spans: readonly JaegerSpan[];
}

const RUNS_MAX = 20;
const RUN_APART_MS = 1;

/** Every span of every step is there, in one trace, with the worker that the store has. */
function requireWhole({ spans, trace }: Followed): void {
  assert.equal(new Set(spans.map(({ traceID }) => traceID)).size, 1);
  assert.equal(named(spans, 'start').length, 1);
  for (const name of ['claim', 'run', 'settle'])
    assert.deepEqual(named(spans, name).map(stepOf).sort(), [...STEPS].sort(), name);
  for (const { id, worker } of trace.jobs) {
    const own = named(spans, 'run').find((span) => tagOf(span, 'messaging.message.id') === id) as JaegerSpan;
    assert.equal(tagOf(own, 'messaging.client.id'), worker);
  }
}

/** By how much a handler's time in the spans differs from the one that the store has, of all steps the most. */
function handlersApartMs({ spans, trace }: Followed): number {
  const apart = trace.jobs.map(({ id, phases }) => {
    const own = named(spans, 'run').find((span) => tagOf(span, 'messaging.message.id') === id) as JaegerSpan;
    const run = phases.find(({ name }) => name === 'run') as Phase;
    return Math.abs(msOf(own) - Number(tagOf(own, 'longshore.lane_ms')) - (run.to - run.from));
  });
  return Math.max(...apart);
}

function named(spans: readonly JaegerSpan[], name: string): readonly JaegerSpan[] {
  return spans.filter(({ operationName }) => operationName.startsWith(`${name} `));
}

function stepOf(span: JaegerSpan): string {
  return String(tagOf(span, 'longshore.part')).split(':')[1] ?? '';
}

function msOf(span: JaegerSpan | undefined): number {
  return (span?.duration ?? Number.NaN) / 1_000;
}

/** The start, then of each job that the end waited for: its wait, claim, run and settlement, and the decision after it. */
function sumAlong({ trace, spans }: Followed): number {
  const advances = named(spans, 'advance');
  let sum = msOf(named(spans, 'start')[0]);
  for (const id of trace.sum.path) {
    const own = spans.filter((span) => tagOf(span, 'messaging.message.id') === id);
    const step = stepOf(own[0] as JaegerSpan);
    for (const name of ['claim', 'run', 'settle']) sum += msOf(named(own, name)[0]);
    sum += Number(tagOf(named(own, 'claim')[0] as JaegerSpan, 'longshore.wait_ms'));
    sum += msOf(
      advances.find((span) => String(tagOf(span, 'longshore.moves')).includes(`${step} completed`)),
    );
  }
  return sum;
}
