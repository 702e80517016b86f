import type { Longshore } from '../connect.ts';
import { type Logger, logEvents } from '../telemetry/log.ts';
import { prettyLine } from '../telemetry/pretty-log.ts';
import type { Paint } from '../telemetry/terminal.ts';
import type { Output } from './output.ts';

/** The log of `longshore work`, on standard error: JSON lines for machines, one short line an event for people. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFormat = 'pretty' | 'json';

export interface LogOptions {
  readonly logLevel?: LogLevel;
  readonly logFormat?: LogFormat;
}

export interface WorkerLog {
  readonly logger: Logger;
  /** People are told by short lines what they may want to know. */
  readonly pretty: boolean;
}

/** How a record becomes a line for people; null: not at all. */
export type Pretty = (record: string, paint: Paint, columns: number) => string | null;

/** With --json the events are on standard output already: then the log is silent unless asked for. */
export async function makeLogger(
  longshore: Longshore,
  out: Output,
  options: LogOptions,
): Promise<{ readonly pretty: boolean }> {
  const { logger, pretty } = await workerLog(out, options, prettyLine);
  logEvents(longshore, logger);
  return { pretty };
}

/** What takes the records. */
export async function workerLog(
  out: Output,
  { logLevel, logFormat }: LogOptions,
  lineOf: Pretty,
): Promise<WorkerLog> {
  const level = logLevel ?? (out.json ? 'silent' : 'info');
  const pretty = (logFormat ?? (process.stderr.isTTY ? 'pretty' : 'json')) === 'pretty';
  const { pino } = await import('pino');
  const paint: Paint = (format, text) => out.paintMessage(format, text);
  const write = (record: string): void => {
    const line = pretty
      ? lineOf(record, paint, process.stderr.columns ?? Number.POSITIVE_INFINITY)
      : record.trimEnd();
    if (line !== null) out.say(line);
  };
  // A destination of our own: pino's would write past the handling of a reader that has gone away.
  const logger = pino({ level, base: { pid: process.pid } }, { write });
  return { logger, pretty: pretty && ['trace', 'debug', 'info'].includes(level) };
}
