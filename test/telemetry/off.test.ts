/** Telemetry that nobody asked for is not on the path of a job: nothing of it is loaded, built or called. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { connect, defineTask, type Longshore } from '../../src/index.ts';
import { EventBus } from '../../src/telemetry/events.ts';
import { prometheusMetrics } from '../../src/telemetry/prometheus/index.ts';

const JOBS = 500;
const quiet = defineTask({ name: 'quiet', run: () => undefined });

interface Calls {
  /** Events that were built. */
  readonly emitted: ReadonlyMap<string, number>;
  /** Questions whether anybody listens. */
  readonly asked: number;
}

/** What one worker and one client do with the bus for so many jobs, one enqueue each. */
async function callsFor(t: TestContext, longshore: Longshore): Promise<Calls> {
  const emit = t.mock.method(EventBus.prototype, 'emit');
  const wants = t.mock.method(EventBus.prototype, 'wants');
  for (let number = 0; number < JOBS; number += 1) await longshore.enqueue(quiet, undefined);
  await longshore.worker({ tasks: [quiet] }).runUntilIdle();
  const emitted = new Map<string, number>();
  for (const { arguments: given } of emit.mock.calls)
    emitted.set(given[0] as string, (emitted.get(given[0] as string) ?? 0) + 1);
  const asked = wants.mock.callCount();
  emit.mock.restore();
  wants.mock.restore();
  return { emitted, asked };
}

/** Once for a worker, or when it finds trouble: none of these is on the path of a job. */
const OF_A_WORKER = /^(worker\.st(arted|opping|opped)|leader\.changed|task\.strategyChosen|tuner\.)/;

for (const logger of [false, undefined] as const)
  test(`without a listener no event of a job is built, with the logger ${logger ?? 'that is there by default'}`, async (t) => {
    const longshore = await connect('memory:', logger === undefined ? {} : { logger });
    t.after(() => longshore.close());
    const { emitted, asked } = await callsFor(t, longshore);
    assert.deepEqual(
      [...emitted.keys()].filter((name) => !OF_A_WORKER.test(name)),
      [],
    );
    // One question each at enqueue, start and end, and one for each call of the store: of these, one is the enqueue's.
    assert.ok(asked <= 5 * JOBS, `${asked} questions for ${JOBS} jobs`);
  });

test('with metrics the same jobs are told: the count above can fail', async (t) => {
  const longshore = await connect('memory:', { logger: false });
  t.after(() => longshore.close());
  const metrics = await prometheusMetrics(longshore);
  t.after(() => metrics.close());
  const { emitted } = await callsFor(t, longshore);
  assert.equal(emitted.get('job.completed'), JOBS);
});

test('a program without exporters loads none of their modules', async () => {
  const program = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
    const { connect, defineTask } = await import(process.argv[1]);
    const quiet = defineTask({ name: 'quiet', run: () => undefined });
    const longshore = await connect('memory:');
    await longshore.enqueue(quiet, undefined);
    await longshore.worker({ tasks: [quiet] }).runUntilIdle();
    await longshore.close();
    console.log(JSON.stringify(loaded));`;
  const index = fileURLToPath(new URL('../../src/index.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    program,
    index,
  ]);
  const loaded = JSON.parse(stdout) as readonly string[];
  assert.ok(loaded.some((url) => url.endsWith('/telemetry/events.ts')));
  assert.deepEqual(
    loaded.filter((url) => /telemetry\/(otel|prometheus)\/|@opentelemetry|prom-client/.test(url)),
    [],
  );
});
