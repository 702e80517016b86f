/**
 * Settings of every `longshore` command in the container. Where OTEL_EXPORTER_OTLP_ENDPOINT names a collector, enqueues and runs
 * are traced; a share of them with LONGSHORE_TRACE_RATIO.
 */
export default {
  tasks: 'tasks',
  ...(process.env.OTEL_EXPORTER_OTLP_ENDPOINT === undefined ? {} : { tracing: await tracing() }),
};

async function tracing() {
  const { context, trace } = await import('@opentelemetry/api');
  const { AsyncLocalStorageContextManager } = await import('@opentelemetry/context-async-hooks');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const { resourceFromAttributes } = await import('@opentelemetry/resources');
  const { BatchSpanProcessor, TracerProvider } = await import('@opentelemetry/sdk-trace');
  const { otelTracing } = await import('longshore/otel');
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': process.env.OTEL_SERVICE_NAME ?? 'longshore' }),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  trace.setGlobalTracerProvider(provider);
  process.once('beforeExit', () => void provider.shutdown());
  return otelTracing({ ratio: Number(process.env.LONGSHORE_TRACE_RATIO ?? 1) });
}
