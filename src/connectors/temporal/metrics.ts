import type { PrometheusMetrics } from '../../telemetry/prometheus/index.ts';
import type { TemporalRuntime } from './runtime.ts';
import type { TemporalWorker } from './worker.ts';

/**
 * Metrics of workers for Temporal on one page: `longshore_*` of their activities, lanes and slots, and `temporal_*` of the SDK where
 * `temporalRuntime` set it up. For `serveMetrics` of `longshore/prometheus`. Needs the package `prom-client`.
 */
export async function temporalMetrics(
  worker: TemporalWorker,
  runtime: TemporalRuntime | null = null,
): Promise<PrometheusMetrics> {
  const { prometheusMetrics } = await import('../../telemetry/prometheus/index.ts');
  const own = await prometheusMetrics(sourceOf(worker), { database: 'never' });
  return {
    contentType: own.contentType,
    async text() {
      const [ours, theirs] = await Promise.all([own.text(), runtime?.scrape() ?? '']);
      return `${ours.trimEnd()}\n${theirs}`;
    },
    close: () => own.close(),
  };
}

/** As much of a connection to a store as there is. */
function sourceOf(
  worker: TemporalWorker,
): Parameters<typeof import('../../telemetry/prometheus/index.ts').prometheusMetrics>[0] {
  return {
    on: (name, listener) => worker.on(name, listener),
    queues: { list: async () => [] },
    workers: async () => [],
    localWorkers: () => {
      const gauges = worker.runner.gauges();
      return gauges === null ? [] : [gauges];
    },
  };
}
