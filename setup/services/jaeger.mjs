/** Starts Jaeger for tests and development: it takes spans by OTLP over HTTP, keeps them in memory, and answers searches. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.mjs';
import { Guard } from './guard.mjs';
import { JAEGER_MISSING, jaegerProgram } from './jaeger-program.mjs';
import { answers } from './prometheus.mjs';
import { Server } from './server.mjs';
import { temporaryFolder } from './unprivileged.mjs';

/**
 * @param {object} [options]
 * @param {number} [options.port] of the page and the search; default: a free one
 * @returns {Promise<{ server: Server, collector: string }>} `collector`: where exporters send to. Throws where there is no Jaeger
 */
export async function startJaeger({ port } = {}) {
  const program = jaegerProgram();
  if (program === undefined) throw new Error(JAEGER_MISSING);
  const folder = temporaryFolder('longshore-jaeger-', undefined);
  const guard = new Guard(folder);
  const [otlp, grpc] = [await freePort(), await freePort()];
  try {
    const server = await Server.start(
      {
        name: 'Jaeger',
        folder,
        guard,
        user: undefined,
        url: (own) => `http://127.0.0.1:${own}`,
        command: (own) => {
          writeFileSync(join(folder, 'config.yaml'), JSON.stringify(configOf({ own, otlp, grpc })));
          return { file: program, args: [`--config=file:${join(folder, 'config.yaml')}`] };
        },
        isReady: answers('api/services'),
        endSignal: 'SIGTERM',
        dropSignal: 'SIGKILL',
      },
      port,
    );
    return { server, collector: `http://127.0.0.1:${otlp}/v1/traces` };
  } catch (error) {
    guard.abandon();
    throw error;
  }
}

function configOf({ own, otlp, grpc }) {
  return {
    service: {
      extensions: ['jaeger_storage', 'jaeger_query'],
      pipelines: { traces: { receivers: ['otlp'], exporters: ['jaeger_storage_exporter'] } },
      telemetry: { metrics: { level: 'none' }, logs: { level: 'error' } },
    },
    extensions: {
      jaeger_storage: { backends: { memory: { memory: { max_traces: 100_000 } } } },
      jaeger_query: {
        storage: { traces: 'memory' },
        http: { endpoint: `127.0.0.1:${own}` },
        grpc: { endpoint: `127.0.0.1:${grpc}` },
      },
    },
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${otlp}` } } } },
    exporters: { jaeger_storage_exporter: { trace_storage: 'memory' } },
  };
}
