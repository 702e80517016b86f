import type { TestContext } from 'node:test';
import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanExporter,
  TracerProvider,
} from '@opentelemetry/sdk-trace';

/** Providers as a program would have them, with a context manager, which is the process's. */

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

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

/** Sends spans in batches, as production does. */
export function sendingProvider(t: TestContext, url: string): TracerProvider {
  return batching(t, new OTLPTraceExporter({ url, timeoutMillis: 2_000 }));
}

function batching(t: TestContext, exporter: SpanExporter): TracerProvider {
  const provider = new TracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: 100 })],
  });
  t.after(() => provider.shutdown().catch(() => undefined));
  return provider;
}
