/** A worker in a process of its own, with a tracer that sends to the collector: `worker.ts STORE COLLECTOR`. Ends when it is told to. */
import { once } from 'node:events';
import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { connect } from '../../../../src/index.ts';
import { otelTracing } from '../../../../src/telemetry/otel/index.ts';
import { providerFor } from '../provider.ts';
import { tasks } from './seven.ts';

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
const [, , store = '', collector = ''] = process.argv;
const tracerProvider = providerFor(collector);
const longshore = await connect(store, { tracing: await otelTracing({ tracerProvider }) });
await longshore.worker({ tasks }).start();
process.send?.('started');
await once(process, 'message');
await longshore.close();
await tracerProvider.shutdown();
process.disconnect();
