import type { Longshore } from '../connect.ts';
import { LongshoreError } from '../core/errors.ts';
import { messageOf } from '../core/legible.ts';
import { isMissingPackage } from '../store/missing-package.ts';
import type { PrometheusMetrics, PrometheusOptions } from '../telemetry/prometheus/index.ts';
import type { RunnerSource } from '../telemetry/prometheus/source.ts';
import type { Output } from './output.ts';

/** What `longshore work --metrics-port` serves, from before the first claim until the worker has stopped. */
export interface MetricsOptions {
  readonly metricsPort?: number;
  readonly metricsHost?: string;
}

/** For workers of other engines, where there is no store. */
export interface EngineMetrics {
  readonly runners: readonly RunnerSource[];
  /** Metrics of the engine's own making, in place of those of the runners. */
  readonly of: () => Promise<PrometheusMetrics>;
  readonly health: () => Promise<{ ok: boolean }>;
}

const NOTHING = { close: () => Promise.resolve() };

/** Throws OPTION_INVALID. */
export async function startMetrics(
  longshore: Longshore | null,
  {
    metricsPort: port,
    metricsHost: host,
    runners = [],
    of,
    health: given,
  }: MetricsOptions & Partial<EngineMetrics>,
  out: Output,
): Promise<{ close(): Promise<void> }> {
  if (port === undefined) return NOTHING;
  const { serveMetrics } = await import('../telemetry/prometheus/index.ts');
  const option = '--metrics-port';
  const metrics = await (of === undefined
    ? metricsOf(longshore, option, { runners })
    : orMissing(option, of()));
  const health = given ?? (async () => longshore?.health() ?? { ok: true });
  const server = await serveMetrics(metrics, { port, health, ...(host === undefined ? {} : { host }) }).catch(
    (error) => {
      const message = `--metrics-port ${port} cannot be served${host === undefined ? '' : ` on ${host}`}: ${messageOf(error)}`;
      throw new LongshoreError('OPTION_INVALID', message, { cause: error });
    },
  );
  out.say(`metrics: http://${host ?? '127.0.0.1'}:${server.port}/metrics`);
  return server;
}

/** `option`: what asked for them. Throws OPTION_INVALID where prom-client is not installed. */
export async function metricsOf(
  longshore: Longshore | null,
  option: string,
  options: PrometheusOptions,
): Promise<PrometheusMetrics> {
  const { prometheusMetrics } = await import('../telemetry/prometheus/index.ts');
  return orMissing(option, prometheusMetrics(longshore, options));
}

function orMissing(option: string, metrics: Promise<PrometheusMetrics>): Promise<PrometheusMetrics> {
  return metrics.catch((error) => {
    if (!isMissingPackage(error, 'prom-client')) throw error;
    const message = `${option} needs the package prom-client. Run: npm install prom-client`;
    throw new LongshoreError('OPTION_INVALID', message);
  });
}
