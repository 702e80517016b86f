import type { Logger } from '../../telemetry/log.ts';
import { absoluteTime, type Paint, printable } from '../../telemetry/terminal.ts';

/** The log of `longshore temporal work`: its messages are few and fixed, so that they can be looked for; the sentence is `detail`. */
const MESSAGES: Readonly<Record<string, string>> = {
  'job.completed': 'Task processed',
  'job.retried': 'Task processed',
  'job.failed': 'Task processed',
  'job.cancelled': 'Task processed',
  'job.snoozed': 'Task processed',
  'tuner.adjusted': 'Tuner adjusted slots',
};

const LEVELS = ['error', 'warn', 'info', 'debug'] as const;

/** What ended well is told at level debug to a program's own logger; here it is what people follow. */
export function withFixedMessages(logger: Logger): Logger {
  const methods = LEVELS.map((level): [string, Logger['info']] => [
    level,
    (facts, text) => {
      const message = MESSAGES[(facts as { event?: string }).event ?? ''];
      if (message === undefined) logger[level](facts, text);
      else logger[level === 'debug' ? 'info' : level]({ ...facts, detail: text }, message);
    },
  ]);
  return {
    ...(Object.fromEntries(methods) as Pick<Logger, (typeof LEVELS)[number]>),
    isLevelEnabled: (level) =>
      logger.isLevelEnabled?.(level === 'debug' ? 'info' : level) ?? level !== 'trace',
  };
}

interface LogRecord {
  readonly time: number;
  readonly level: number;
  readonly msg: string;
  readonly detail?: string;
  readonly problem?: string;
  readonly address?: string;
  readonly taskQueue?: string;
}

const WARN = 40;
const ERROR = 50;

/** A record as a person reads it. */
export function lineOf(text: string, paint: Paint): string {
  const record = JSON.parse(text) as LogRecord;
  const { level, msg, detail, problem, address, taskQueue } = record;
  const more = detail ?? problem ?? (address === undefined ? '' : `task queue ${taskQueue} at ${address}`);
  const colour = level >= ERROR ? 'red' : level >= WARN ? 'yellow' : 'reset';
  const said = more === '' ? msg : `${msg}: ${more}`;
  return `${paint('dim', absoluteTime(record.time).slice(11))}  ${paint(colour, printable(said))}`;
}
