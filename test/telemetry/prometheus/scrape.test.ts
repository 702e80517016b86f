import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { connect, defineTask } from '../../../src/index.ts';
import { prometheusMetrics, serveMetrics } from '../../../src/telemetry/prometheus/index.ts';
import { eventually } from '../../stage.ts';
import { programOf, prometheusFor } from '../programs.ts';

const double = defineTask({ name: 'double', queue: 'sums', run: async ({ input }) => Number(input) * 2 });

test('a real Prometheus scrapes what jobs and queues add up to', async (t) => {
  const longshore = await connect('memory:');
  t.after(() => longshore.close());
  const metrics = await prometheusMetrics(longshore);
  const server = await serveMetrics(metrics, { port: 0 });
  t.after(() => server.close());
  const prometheus = await prometheusFor(t, [`127.0.0.1:${server.port}`]);
  if (prometheus === null) return;
  const worker = longshore.worker({ tasks: [double] });
  await worker.start();
  const job = await longshore.enqueue(double, 21);
  await job.result();
  const value = async (expression: string): Promise<string | undefined> =>
    (await prometheus.query(expression))[0]?.value[1];
  await eventually(async () => (await value('longshore_job_attempts_total{outcome="completed"}')) === '1');
  await eventually(async () => (await value('longshore_queue_jobs{queue="sums",state="completed"}')) === '1');
  assert.equal(await value('longshore_job_run_seconds_count{task="double"}'), '1');
  await worker.stop();
});

test('promtool has nothing to say about the metrics', async (t) => {
  const promtool = await programOf(t, 'promtool');
  if (promtool === null) return;
  const longshore = await connect('memory:');
  t.after(() => longshore.close());
  const metrics = await prometheusMetrics(longshore, { database: 'always' });
  await longshore.enqueue(double, 21);
  await longshore.worker({ tasks: [double] }).runUntilIdle();
  const child = spawn(promtool, ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (said += text));
  child.stdin.end(await metrics.text());
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.deepEqual([code, said], [0, '']);
});
