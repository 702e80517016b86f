import type { Longshore } from '../connect.ts';
import { LongshoreError } from '../core/errors.ts';
import { messageOf } from '../core/legible.ts';
import { isMissingPackage } from '../store/missing-package.ts';
import type { Output } from './output.ts';

/** What `longshore work --metrics-port` serves, from before the first claim until the worker has stopped. */
export interface MetricsOptions {
  readonly metricsPort?: number;
  readonly metricsHost?: string;
}

const NOTHING = { close: () => Promise.resolve() };

/** Throws OPTION_INVALID. */
export async function startMetrics(
  longshore: Longshore,
  { metricsPort: port, metricsHost: host }: MetricsOptions,
  out: Output,
): Promise<{ close(): Promise<void> }> {
  if (port === undefined) return NOTHING;
  const { prometheusMetrics, serveMetrics } = await import('../telemetry/prometheus/index.ts');
  const metrics = await prometheusMetrics(longshore).catch((error) => {
    throw isMissingPackage(error, 'prom-client') ? missing() : error;
  });
  const health = () => longshore.health();
  const server = await serveMetrics(metrics, { port, health, ...(host === undefined ? {} : { host }) }).catch(
    (error) => {
      const message = `--metrics-port ${port} cannot be served${host === undefined ? '' : ` on ${host}`}: ${messageOf(error)}`;
      throw new LongshoreError('OPTION_INVALID', message, { cause: error });
    },
  );
  out.say(`metrics: http://${host ?? '127.0.0.1'}:${server.port}/metrics`);
  return server;
}

function missing(): LongshoreError {
  return new LongshoreError(
    'OPTION_INVALID',
    '--metrics-port needs the package prom-client. Run: npm install prom-client',
  );
}
