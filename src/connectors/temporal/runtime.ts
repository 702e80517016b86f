import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Runtime, type Logger as SdkLogger } from '@temporalio/worker';
import { LongshoreError } from '../../core/errors.ts';
import { reasonOf } from '../../core/legible.ts';
import type { Logger } from '../../telemetry/log.ts';

/** The SDK's own part of this process: its log, its signals, its metrics. */
export interface TemporalRuntimeOptions {
  /** Takes what the SDK logs; default: its own, on standard error. */
  readonly logger?: Logger;
  /** Signals on which the SDK stops its workers by itself; default: none, since the program calls `stop`. */
  readonly shutdownSignals?: readonly NodeJS.Signals[];
}

/** The SDK's metrics, named `temporal_*`. */
export interface TemporalRuntime {
  /** As a scrape would get them. Rejects when they cannot be read. */
  scrape(): Promise<string>;
}

/**
 * Installs the SDK's runtime, once for a process and before its first worker or connection. Its metrics are served to this
 * process alone, on a port of 127.0.0.1 that is free; `temporalMetrics` hands them on together with those of Longshore.
 * Rejects with OPTION_INVALID where the SDK is in use already.
 */
export async function temporalRuntime(options: TemporalRuntimeOptions = {}): Promise<TemporalRuntime> {
  const address = `127.0.0.1:${await freePort()}`;
  const { logger, shutdownSignals = [] } = options;
  try {
    Runtime.install({
      shutdownSignals: [...shutdownSignals],
      ...(logger === undefined ? {} : { logger: sdkLogger(logger) }),
      telemetryOptions: {
        metrics: { prometheus: { bindAddress: address, useSecondsForDurations: true, unitSuffix: true } },
        ...(logger === undefined
          ? {}
          : { logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } }),
      },
    });
  } catch (error) {
    throw new LongshoreError(
      'OPTION_INVALID',
      `The runtime of Temporal's SDK cannot be set up: ${reasonOf(error)} Call temporalRuntime() once, before the first worker or connection.`,
      { cause: error },
    );
  }
  return { scrape: () => scrape(address) };
}

async function scrape(address: string): Promise<string> {
  const response = await fetch(`http://${address}/metrics`);
  if (!response.ok) throw new Error(`the metrics of Temporal's SDK answered ${response.status}`);
  return response.text();
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

type Meta = Readonly<Record<string | symbol, unknown>>;

/** The SDK's levels and order of arguments, as Longshore's. */
function sdkLogger(logger: Logger): SdkLogger {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, meta: Meta = {}): void =>
      logger[level]({ event: 'temporal.sdk', ...meta }, message);
  const methods = {
    trace: () => undefined,
    debug: at('debug'),
    info: at('debug'),
    warn: at('warn'),
    error: at('error'),
  };
  const byLevel: Readonly<Record<string, (message: string, meta?: Meta) => void>> = {
    TRACE: methods.trace,
    DEBUG: methods.debug,
    INFO: methods.info,
    WARN: methods.warn,
    ERROR: methods.error,
  };
  return {
    ...methods,
    log: (level: string, message: string, meta?: Meta) => byLevel[level]?.(message, meta),
  };
}
