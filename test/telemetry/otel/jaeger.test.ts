import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, defineTask } from '../../../src/index.ts';
import { otelTracing } from '../../../src/telemetry/otel/index.ts';
import { eventually } from '../../stage.ts';
import { jaegerFor } from '../programs.ts';
import { sendingProvider } from './provider.ts';

const CORRELATION = 'messaging.message.conversation_id';

test('Jaeger finds every span of a job by its correlation id', async (t) => {
  const jaeger = await jaegerFor(t);
  if (jaeger === null) return;
  const provider = sendingProvider(t, jaeger.collector);
  const longshore = await connect('memory:', { tracing: await otelTracing({ tracerProvider: provider }) });
  t.after(() => longshore.close());
  const double = defineTask({
    name: 'double',
    queue: 'sums',
    run: async ({ input }: { input: number }) => input * 2,
  });
  await longshore.enqueue(double, 21, { meta: { correlationId: 'request-7' } });
  await longshore.worker({ tasks: [double] }).runUntilIdle();
  await provider.forceFlush();
  const names = async () =>
    (await jaeger.spans(CORRELATION, 'request-7')).map(({ operationName }) => operationName).sort();
  await eventually(async () => (await names()).length >= 4);
  assert.deepEqual(await names(), ['claim sums', 'enqueue sums', 'run sums', 'settle sums']);
});
