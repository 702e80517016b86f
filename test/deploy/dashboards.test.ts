/** The dashboards of deploy/, tried with a real Prometheus that scrapes a real load. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DASHBOARDS, dashboard } from '../../deploy/grafana/dashboards.ts';
import { dag7, tasks } from '../../examples/flows/shapes.ts';
import { connect, defineTask } from '../../src/index.ts';
import { prometheusMetrics, serveMetrics } from '../../src/telemetry/prometheus/index.ts';
import { eventually } from '../stage.ts';
import { prometheusFor } from '../telemetry/programs.ts';
import { inThread } from '../telemetry/prometheus/thread-task.ts';

const DEPLOY = fileURLToPath(new URL('../../deploy/', import.meta.url));
const NAMES = Object.keys(DASHBOARDS) as (keyof typeof DASHBOARDS)[];

test('the dashboard files are what their program makes', () => {
  for (const name of NAMES) {
    const file = JSON.parse(readFileSync(`${DEPLOY}grafana/${name}.json`, 'utf8'));
    const made = JSON.parse(JSON.stringify(dashboard(name)));
    assert.deepEqual(file, made, `${name}.json is old: node deploy/grafana/write.ts`);
  }
});

test('every expression of every dashboard has data after a real load', { timeout: 120_000 }, async (t) => {
  const longshore = await connect('memory:', { logger: false });
  t.after(() => longshore.close());
  const metrics = await prometheusMetrics(longshore);
  const server = await serveMetrics(metrics, { port: 0 });
  t.after(() => server.close());
  const prometheus = await prometheusFor(t, [`127.0.0.1:${server.port}`]);
  if (prometheus === null) return;
  const flaky = defineTask({
    name: 'flaky',
    attempts: 2,
    backoff: 0,
    run: () => {
      throw new Error('no');
    },
  });
  const worker = longshore.worker({
    tasks: [...tasks, flaky, inThread],
    tuner: { slotsMin: 2, slotsMax: 8 },
  });
  await worker.start();
  await longshore.schedules.set('often', { task: flaky, everyMs: 1_000 });
  let loading = true;
  const load = (async () => {
    while (loading) {
      await longshore.enqueue(flaky, undefined);
      await longshore.enqueue(flaky, undefined, { queue: 'nobody' });
      await longshore.enqueue(inThread, undefined);
      await (await longshore.flows.start(dag7, null)).result();
    }
  })();
  const expressions = NAMES.flatMap((name) =>
    DASHBOARDS[name].panels.flatMap(({ queries }) => queries.map(({ expression }) => expression)),
  );
  const without = new Set(expressions);
  await eventually(async () => {
    for (const expression of without) {
      const found = await prometheus.query(expression.replaceAll('$__rate_interval', '10s'));
      if (found.some(({ value }) => !['NaN', '+Inf'].includes(value[1]))) without.delete(expression);
    }
    return without.size === 0;
  });
  loading = false;
  await load;
  await worker.stop();
});
