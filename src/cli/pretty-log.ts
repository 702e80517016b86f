import { formatDuration } from '../core/duration.ts';
import type { Format } from './output.ts';
import { absoluteTime, printable } from './text.ts';

/** A record of the log (telemetry/log.ts): pino's members, and the event's facts as far as they are shown. */
interface LogRecord {
  readonly time: number;
  readonly level: number;
  readonly event: string;
  readonly msg: string;
  readonly id?: string;
  readonly task?: string;
  readonly attempt?: number;
  readonly waitMs?: number;
  readonly runMs?: number;
  readonly delayMs?: number;
  readonly error?: { readonly name?: string; readonly type?: string; readonly message?: string };
}

type Paint = (format: Format, text: string) => string;

/** What `longshore work` tells a person itself. */
const TOLD: ReadonlySet<string> = new Set(['worker.started', 'worker.stopping', 'worker.stopped']);

/** The ends of attempts, which a person follows in columns; everything else is told by its sentence. */
const ENDS: ReadonlyMap<string, Format> = new Map<string, Format>([
  ['job.completed', 'green'],
  ['job.retried', 'yellow'],
  ['job.failed', 'red'],
  ['job.cancelled', 'gray'],
  ['job.snoozed', 'cyan'],
]);

/** pino's numbers. */
const WARN = 40;
const ERROR = 50;

/** A record as a person reads it: time, what happened. Null when it is told already. */
export function prettyLine(text: string, paint: Paint): string | null {
  const record = JSON.parse(text) as LogRecord;
  if (TOLD.has(record.event)) return null;
  const clock = paint('dim', absoluteTime(record.time).slice(11));
  const format = ENDS.get(record.event);
  if (format !== undefined) return `${clock}  ${endText(record, format, paint)}`;
  const loud = record.level >= ERROR ? 'red' : record.level >= WARN ? 'yellow' : 'reset';
  return `${clock}  ${paint(loud, printable(record.msg))}`;
}

function endText(record: LogRecord, format: Format, paint: Paint): string {
  const { event, task = '', id = '', error } = record;
  const word = paint(format, event.slice('job.'.length).padEnd('completed'.length));
  const line = `${word}  ${printable(task)}  ${id}  ${paint('dim', figures(record))}`;
  if (error?.message === undefined) return line;
  return `${line}\n${' '.repeat(10)}${paint(format, printable(`${error.name ?? error.type}: ${error.message}`))}`;
}

function figures({ event, attempt, runMs = 0, waitMs = 0, delayMs }: LogRecord): string {
  const parts = [formatDuration(runMs)];
  if (event === 'job.completed') parts.push(`waited ${formatDuration(waitMs)}`);
  else parts.push(`attempt ${attempt}`);
  if (delayMs !== undefined && event !== 'job.failed') parts.push(`next in ${formatDuration(delayMs)}`);
  return parts.join(', ');
}
