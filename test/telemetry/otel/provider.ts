import type { TestContext } from 'node:test';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';

/** Providers as a program would have them. */
const resource = resourceFromAttributes({ 'service.name': 'longshore-test' });

export interface Kept {
  readonly provider: TracerProvider;
  /** Ended spans, oldest first. */
  readonly spans: () => readonly ReadableSpan[];
}

/** Keeps spans in memory. */
export function keepingProvider(): Kept {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  return { provider, spans: () => exporter.getFinishedSpans() };
}

/** Sends spans in batches, as production does; to be shut down. */
export function providerFor(url: string, timeoutMillis = 5_000): TracerProvider {
  const exporter = new OTLPTraceExporter({ url, timeoutMillis });
  return new TracerProvider({
    resource,
    spanProcessors: [
      new BatchSpanProcessor({ exporter, scheduledDelayMillis: 100, exportTimeoutMillis: 10_000 }),
    ],
  });
}

export function sendingProvider(t: TestContext, url: string): TracerProvider {
  const provider = providerFor(url);
  t.after(() => provider.shutdown().catch(() => undefined));
  return provider;
}
