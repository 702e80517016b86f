import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, defineTask } from '../../../src/index.ts';
import { prometheusMetrics } from '../../../src/telemetry/prometheus/index.ts';
import { FakeClock, FakeSensor } from '../../../src/testing/index.ts';
import { startedRunner, workOf } from '../../engine/started-runner.ts';
import { Gate } from '../../stage.ts';

const TUNER = { targetCpu: 0.9, targetMemory: 0.8, slotsMin: 2, slotsMax: 16, rampMs: 10 };

test('work and slots of engines are on the endpoint of the store, told apart by engine', async (t) => {
  const gate = new Gate();
  const [clock, sensor] = [new FakeClock(), new FakeSensor({ cpu: 1 })];
  const quick = defineTask({ name: 'quick', run: () => 1 });
  const held = defineTask({ name: 'held', run: () => gate.wait() });
  const longshore = await connect('memory:', { logger: false, sensor, clock });
  t.after(() => longshore.close());
  const options = { tasks: [quick, held], tuner: TUNER, sensor, clock };
  const runners = ['temporal', 'operaton'].map((engine) => startedRunner(t, { ...options, engine }));
  const [temporal, operaton] = runners as [(typeof runners)[0], (typeof runners)[0]];
  const metrics = await prometheusMetrics(longshore, { runners });
  await longshore.enqueue(quick, undefined);
  const worker = longshore.worker({ tasks: [quick], tuner: TUNER });
  const completed = new Promise((resolve) => longshore.on('job.completed', resolve));
  await worker.start();
  await completed;
  await temporal.run(workOf(quick, null, { queue: 'orders' }));
  await operaton.run(workOf('nobody', null, { queue: 'topic' }));
  const running = [
    temporal.run(workOf(held, null)),
    temporal.run(workOf(held, null)),
    temporal.run(workOf(held, null)),
  ];
  await gate.reached;
  // Two samples, each told by three members of one controller.
  await clock.advance(400);
  const lines = new Set((await metrics.text()).split('\n'));
  for (const line of [
    'longshore_job_attempts_total{queue="default",task="quick",outcome="completed"} 1',
    'longshore_job_attempts_total{queue="orders",task="quick",outcome="completed"} 1',
    'longshore_job_attempts_total{queue="topic",task="nobody",outcome="failed"} 1',
    'longshore_workers_started 3',
    'longshore_jobs_running 2',
    'longshore_engine_runners{engine="temporal"} 1',
    'longshore_engine_runners{engine="operaton"} 1',
    'longshore_engine_running{engine="temporal"} 2',
    'longshore_engine_waiting{engine="temporal"} 1',
    'longshore_engine_slots_used{engine="temporal"} 2',
    'longshore_engine_slots_used{engine="operaton"} 0',
    'longshore_tuner_slots 2',
  ])
    assert.ok(lines.has(line), line);
  let adjusted = 0;
  longshore.on('tuner.adjusted', () => {
    adjusted += 1;
  });
  sensor.cpu = 0.1;
  while (adjusted === 0) await clock.advance(200);
  const text = await metrics.text();
  assert.match(text, new RegExp(`longshore_tuner_adjustments_total{reason="cpuBelowTarget"} ${adjusted}\n`));
  gate.open();
  await Promise.all(running);
  metrics.close();
});

test('a program without a store has metrics of its runners', async (t) => {
  const quick = defineTask({ name: 'quick', run: () => 1 });
  const runner = startedRunner(t, { tasks: [quick], concurrency: 3 });
  const metrics = await prometheusMetrics(null, { runners: [runner] });
  assert.doesNotMatch(await metrics.text(), /longshore_engine_slots{/, 'not started');
  await runner.run(workOf(quick, null));
  const text = await metrics.text();
  assert.match(text, /longshore_engine_slots{engine="trial"} 3\n/);
  assert.match(text, /longshore_job_attempts_total{queue="trials",task="quick",outcome="completed"} 1\n/);
  metrics.close();
  await assert.rejects(
    prometheusMetrics(null, { runners: [{}] as never }),
    /runners is an array of 1; expected an array of workers/,
  );
});
