import type { Registry } from 'prom-client';
import { optionInvalid, requireInteger } from '../../core/errors.ts';
import { knownNames, requireKnown } from '../../core/options.ts';
import { VERSION } from '../../version.ts';
import { warnSparingly } from '../warn-once.ts';
import { countEvents } from './counted.ts';
import { gaugeDatabase } from './database.ts';
import { Family, type Prom } from './family.ts';
import { gaugeProcess } from './local.ts';
import type { MetricsSource, RunnerSource } from './source.ts';
import { gaugeEngines, together } from './together.ts';

/**
 * `longshore/prometheus`: metrics of a connection, named `longshore_*`, times in seconds. Needs the package `prom-client`.
 * Subscribes to events; nothing of Longshore but the command line program imports it. A correlation id is never a label.
 */
export interface PrometheusOptions {
  /**
   * Of queues, of tasks, of pairs of both and so on, at most so many are told apart; all others have the label `other`, and one
   * line on standard error says so. Default 1,000: about 50,000 series at the very most.
   */
  readonly labelsMax?: number;
  /**
   * Who tells how many jobs wait and such, which takes a look at the database: the process whose worker leads (default), this one
   * `always`, as where there is no worker, or `never`.
   */
  readonly database?: 'leader' | 'always' | 'never';
  /** How long such a look may take before a scrape goes without; default 2,000. */
  readonly databaseTimeoutMs?: number;
  /** A registry of prom-client to put the metrics into; default: one of their own. */
  readonly registry?: object;
  /** Workers of other engines in this process: their work and slots go into the same metrics, and `longshore_engine_*` tells them apart. */
  readonly runners?: readonly RunnerSource[];
}

/** The metrics of one connection. */
export interface PrometheusMetrics {
  /** For the answer's header. */
  readonly contentType: string;
  /** The whole text of a scrape; of all that is in the registry where one was given. */
  text(): Promise<string>;
  /** Ends the subscriptions. What was counted stays readable. */
  close(): void;
}

export { type MetricsServer, type ServeOptions, serveMetrics } from './serve.ts';
export type { LocalWorker, MetricsSource, RunnerSource } from './source.ts';

const OPTIONS = knownNames<PrometheusOptions>({
  labelsMax: true,
  database: true,
  databaseTimeoutMs: true,
  registry: true,
  runners: true,
});
const DATABASE = ['leader', 'always', 'never'];

/** `source`: what `connect` resolved to; null in a program that has runners alone. Throws OPTION_INVALID, and what an import of `prom-client` throws. */
export async function prometheusMetrics(
  source: MetricsSource | null,
  options: PrometheusOptions = {},
): Promise<PrometheusMetrics> {
  requireKnown('prometheusMetrics', options, OPTIONS);
  const { labelsMax = 1_000, database = 'leader', databaseTimeoutMs = 2_000, runners = [] } = options;
  requireInteger('labelsMax', labelsMax, 1);
  requireInteger('databaseTimeoutMs', databaseTimeoutMs, 1);
  if (!DATABASE.includes(database))
    throw optionInvalid('database', database, DATABASE.map((one) => `'${one}'`).join(', '));
  requireRunners(runners);
  const prom: Prom = await import('prom-client');
  const registry = (options.registry as Registry | undefined) ?? new prom.Registry();
  const family = new Family(prom, registry, { labelsMax, warn: warnSparingly() });
  const build = family.gauge(
    'longshore_build_info',
    'The version of Longshore.',
    ['version'],
    () => undefined,
  );
  build.set({ version: VERSION }, 1);
  const all = together(source, runners);
  const ends = [countEvents(all, family), gaugeProcess(all, family)];
  if (runners.length > 0) gaugeEngines(runners, family);
  if (source !== null && database !== 'never')
    gaugeDatabase(source, family, { database, timeoutMs: databaseTimeoutMs });
  let scrape: Promise<string> | null = null;
  return {
    contentType: registry.contentType,
    text() {
      // Scrapes at the same time share one.
      scrape ??= registry.metrics().finally(() => {
        scrape = null;
      });
      return scrape;
    },
    close() {
      for (const end of ends) end();
    },
  };
}

function requireRunners(runners: unknown): void {
  if (Array.isArray(runners) && runners.every((one) => typeof one?.gauges === 'function')) return;
  throw optionInvalid('runners', runners, 'an array of workers of longshore/temporal, operaton or camunda');
}
