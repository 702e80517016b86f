import { styleText } from 'node:util';
import { pino } from 'pino';
import { type EventSource, type Logger, logEvents } from './log.ts';
import { prettyLine } from './pretty-log.ts';
import type { Paint } from './terminal.ts';

/**
 * The log of a connection that was given `logger: true`: on standard error, since standard output is the program's. One short
 * line an event where that is a terminal, JSON lines of pino elsewhere.
 */
export function logToConsole(source: EventSource): void {
  const { stderr } = process;
  const paint: Paint = (format, text) => styleText(format, text, { stream: stderr });
  const write = (record: string): void => {
    const line = stderr.isTTY
      ? prettyLine(record, paint, stderr.columns ?? Number.POSITIVE_INFINITY)
      : record.trimEnd();
    if (line !== null) stderr.write(`${line}\n`);
  };
  logTo(source, pino({ level: 'info', base: { pid: process.pid } }, { write }));
}

/** The log of a connection that was given a logger of the program's own. */
export function logTo(source: EventSource, logger: Logger): void {
  logEvents(source, logger, { quiet: true });
}
