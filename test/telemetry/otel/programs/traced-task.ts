import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { defineTask } from '../../../../src/index.ts';
import { traceHandlers } from '../../../../src/telemetry/otel/index.ts';

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
await traceHandlers();

/** Says below which span the handler runs. */
export const inThread = defineTask({
  name: 'inThread',
  strategy: 'thread',
  run: () => {
    const active = trace.getSpanContext(context.active());
    return `${active?.traceId} ${active?.spanId}`;
  },
});
