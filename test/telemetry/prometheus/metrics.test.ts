import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { dag7, tasks } from '../../../examples/flows/shapes.ts';
import { connect, defineTask, type Longshore } from '../../../src/index.ts';
import {
  type MetricsSource,
  type PrometheusOptions,
  prometheusMetrics,
  serveMetrics,
} from '../../../src/telemetry/prometheus/index.ts';

const quiet = defineTask({ name: 'quiet', run: () => undefined });

async function opened(t: TestContext): Promise<Longshore> {
  const longshore = await connect('memory:', { logger: false });
  t.after(() => longshore.close());
  return longshore;
}

/** `name{labels}` -> value. */
async function scraped(metrics: { text(): Promise<string> }): Promise<ReadonlyMap<string, number>> {
  const lines = (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
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

test('jobs are counted by outcome, and timed in seconds', async (t) => {
  const longshore = await opened(t);
  const metrics = await prometheusMetrics(longshore, { database: 'always' });
  const broken = defineTask({
    name: 'broken',
    attempts: 2,
    backoff: 0,
    run: () => {
      throw new Error('no');
    },
  });
  await longshore.enqueue(quiet, undefined);
  await longshore.enqueue(broken, undefined);
  await longshore.worker({ tasks: [quiet, broken] }).runUntilIdle();
  const found = await scraped(metrics);
  const attempts = (task: string, outcome: string): number | undefined =>
    found.get(`longshore_job_attempts_total{queue="default",task="${task}",outcome="${outcome}"}`);
  assert.deepEqual(
    [attempts('quiet', 'completed'), attempts('broken', 'retried'), attempts('broken', 'failed')],
    [1, 1, 1],
  );
  assert.equal(found.get('longshore_jobs_enqueued_total{queue="default",task="quiet"}'), 1);
  assert.equal(found.get('longshore_job_run_seconds_count{task="broken"}'), 2);
  assert.equal(found.get('longshore_job_wait_seconds_count{queue="default"}'), 3);
  assert.equal(found.get('longshore_queue_jobs{queue="default",state="failed"}'), 1);
  assert.ok((found.get('longshore_store_call_seconds_count{verb="settle"}') ?? 0) > 0);
});

test('runs and their steps are counted by flow', async (t) => {
  const longshore = await opened(t);
  const metrics = await prometheusMetrics(longshore);
  await longshore.flows.start(dag7, null);
  await longshore.worker({ tasks }).runUntilIdle();
  const found = await scraped(metrics);
  assert.equal(found.get('longshore_runs_started_total{flow="dag7"}'), 1);
  assert.equal(found.get('longshore_runs_moved_total{flow="dag7",to="completed"}'), 1);
  assert.equal(found.get('longshore_steps_moved_total{flow="dag7",to="completed"}'), 7);
});

test('a correlation id is never a label', async (t) => {
  const longshore = await opened(t);
  const metrics = await prometheusMetrics(longshore, { database: 'always' });
  await longshore.enqueue(quiet, undefined, { meta: { correlationId: 'request-7', tags: ['tag-9'] } });
  await longshore.worker({ tasks: [quiet] }).runUntilIdle();
  assert.doesNotMatch(await metrics.text(), /request-7|tag-9/);
});

test('past labelsMax what is new is counted as other, and one line says so', async (t) => {
  const longshore = await opened(t);
  const metrics = await prometheusMetrics(longshore, { labelsMax: 3, database: 'always' });
  const lines = listen(t);
  for (let number = 0; number < 8; number += 1)
    await longshore.enqueue(quiet, undefined, { queue: `queue-${number}` });
  const found = await scraped(metrics);
  const of = (name: string): string[] => [...found.keys()].filter((key) => key.startsWith(`${name}{`));
  assert.equal(of('longshore_jobs_enqueued_total').length, 4);
  assert.equal(found.get('longshore_jobs_enqueued_total{queue="other",task="other"}'), 5);
  assert.equal(of('longshore_queue_oldest_age_seconds').length, 4);
  assert.equal(found.get('longshore_queue_jobs{queue="other",state="ready"}'), 5);
  assert.equal(lines.filter((line) => line.includes('more than 3 pairs of queue and task')).length, 1);
});

test('names that are hard to write as labels come back as they are', async (t) => {
  const longshore = await opened(t);
  const metrics = await prometheusMetrics(longshore);
  const names = ['a"b', 'back\\slash', 'ünï ☃', '{}=,'];
  for (const queue of names) await longshore.enqueue(quiet, undefined, { queue });
  const text = await metrics.text();
  for (const [index, name] of names.entries()) {
    const shown = name.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
    assert.ok(text.includes(`longshore_jobs_enqueued_total{queue="${shown}",task="quiet"} 1`), names[index]);
  }
  assert.equal(Buffer.from(text).toString(), text);
});

test('one process of all tells of the database: the one whose worker leads', async (t) => {
  const [one, other] = [await opened(t), await opened(t)];
  const withDatabase = async (longshore: Longshore, options: PrometheusOptions = {}): Promise<boolean> => {
    await longshore.enqueue(quiet, undefined, { queue: 'unheard' });
    return /longshore_queue_jobs\{/.test(await (await prometheusMetrics(longshore, options)).text());
  };
  assert.equal(await withDatabase(one), false);
  assert.equal(await withDatabase(one, { database: 'always' }), true);
  const worker = other.worker({ tasks: [quiet] });
  await worker.start();
  t.after(() => worker.stop());
  assert.equal(await withDatabase(other), true);
  assert.equal(await withDatabase(other, { database: 'never' }), false);
  const found = await scraped(await prometheusMetrics(other));
  assert.deepEqual([found.get('longshore_leader'), found.get('longshore_slots')], [1, 10]);
});

test('a store that hangs or fails costs the gauges of the database alone, and one line says so', async (t) => {
  const longshore = await opened(t);
  for (const list of [
    () => new Promise<never>(() => undefined),
    () => Promise.reject(new Error('gone away')),
  ]) {
    const source: MetricsSource = Object.assign(Object.create(longshore), {
      on: longshore.on.bind(longshore),
      workers: () => longshore.workers(),
      localWorkers: () => [],
      queues: { list },
    });
    const metrics = await prometheusMetrics(source, { database: 'always', databaseTimeoutMs: 20 });
    const lines = listen(t);
    const found = await scraped(metrics);
    assert.ok(found.has('longshore_jobs_running'));
    assert.ok(![...found.keys()].some((key) => key.startsWith('longshore_queue_jobs')));
    await metrics.text();
    assert.equal(lines.filter((line) => line.includes('metrics of the database are left out')).length, 1);
  }
});

test('a scrape during and after a shutdown is answered with what was counted', async (t) => {
  const longshore = await connect('memory:', { logger: false });
  const metrics = await prometheusMetrics(longshore, { database: 'always' });
  const server = await serveMetrics(metrics, { port: 0, health: () => longshore.health() });
  const get = async (path: string): Promise<{ status: number; text: string }> => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return { status: response.status, text: await response.text() };
  };
  let release = (): void => undefined;
  const hold = defineTask({ name: 'hold', run: () => new Promise<void>((resolve) => (release = resolve)) });
  await longshore.enqueue(hold, undefined);
  const worker = longshore.worker({ tasks: [hold] });
  const started = new Promise((resolve) => longshore.on('job.started', resolve));
  await worker.start();
  await started;
  assert.equal((await get('/ready')).status, 200);
  const closing = longshore.close();
  const during = await get('/metrics');
  assert.match(during.text, /^longshore_jobs_running 1$/m);
  release();
  await closing;
  listen(t);
  const after = await get('/metrics');
  assert.deepEqual([during.status, after.status], [200, 200]);
  assert.match(
    after.text,
    /longshore_job_attempts_total\{queue="default",task="hold",outcome="completed"\} 1/,
  );
  assert.deepEqual(
    [(await get('/ready')).status, (await get('/live')).status, (await get('/')).status],
    [503, 200, 404],
  );
  await server.close();
});

test('scrapes at the same time are answered alike, and options that there are not are refused', async (t) => {
  const longshore = await opened(t);
  await longshore.enqueue(quiet, undefined);
  const metrics = await prometheusMetrics(longshore, { database: 'always' });
  const [one, other] = await Promise.all([metrics.text(), metrics.text()]);
  assert.equal(one, other);
  assert.match(one, /longshore_queue_jobs\{queue="default",state="ready"\} 1/);
  await assert.rejects(prometheusMetrics(longshore, { labelMax: 1 } as PrometheusOptions), {
    code: 'OPTION_INVALID',
  });
  await assert.rejects(prometheusMetrics(longshore, { labelsMax: 0 }), { code: 'OPTION_INVALID' });
  await assert.rejects(prometheusMetrics(longshore, { database: 'all' as 'always' }), {
    code: 'OPTION_INVALID',
  });
});

test('after close nothing more is counted', async (t) => {
  const longshore = await opened(t);
  const metrics = await prometheusMetrics(longshore);
  metrics.close();
  await longshore.enqueue(quiet, undefined);
  assert.ok(!(await scraped(metrics)).has('longshore_jobs_enqueued_total{queue="default",task="quiet"}'));
});
