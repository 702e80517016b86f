import { formatDuration } from '../core/duration.ts';
import { absoluteTime, type Format, type Paint, printable, width } from './terminal.ts';

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
  readonly error?: {
    readonly name?: string;
    readonly type?: string;
    readonly message?: string;
    readonly stack?: string | null;
  };
}

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

/** Columns of the time and the gap after it. */
const CLOCK = 10;

/** pino's numbers. */
const WARN = 40;
const ERROR = 50;

/** A record as a person reads it: time, what happened; less where the screen is narrow. Null when it is told already. */
export function prettyLine(text: string, paint: Paint, columns: number): string | null {
  const record = JSON.parse(text) as LogRecord;
  if (TOLD.has(record.event)) return null;
  const clock = paint('dim', absoluteTime(record.time).slice(11));
  const format = ENDS.get(record.event);
  if (format !== undefined) return `${clock}  ${endText(record, format, paint, columns)}`;
  const loud = record.level >= ERROR ? 'red' : record.level >= WARN ? 'yellow' : 'reset';
  return `${clock}  ${paint(loud, printable(record.msg))}`;
}

function endText(record: LogRecord, format: Format, paint: Paint, columns: number): string {
  const { event, task = '', id = '', error, runMs = 0, waitMs = 0 } = record;
  const word = event.slice('job.'.length).padEnd('completed'.length);
  const start = `${paint(format, word)}  ${printable(task)}  ${id}  `;
  const took = formatDuration(runMs);
  if (error?.message === undefined) {
    const waited = `, waited ${formatDuration(waitMs)}`;
    const wide = CLOCK + word.length + width(task) + id.length + took.length + waited.length + 6 <= columns;
    return start + paint('dim', wide ? took + waited : took);
  }
  const said = printable(`${error.name ?? error.type}: ${error.message}`);
  const indent = `\n${' '.repeat(CLOCK)}`;
  const frames = event === 'job.failed' ? framesOf(error.stack ?? '') : [];
  const lines = [
    paint(format, `${circumstances(record)}: ${said}`),
    ...frames.map((frame) => paint('dim', frame)),
  ];
  return `${start}${paint('dim', took)}${indent}${lines.join(indent)}`;
}

/** Of a dead letter: where it went wrong. */
function framesOf(stack: string): string[] {
  const frames = stack.split('\n').filter((line) => FRAME.test(line));
  return frames.slice(0, FRAMES_MAX).map((frame) => printable(frame.replace(FRAME, '  at ')));
}

const FRAME = /^\s+at /;
const FRAMES_MAX = 3;

function circumstances({ event, attempt, delayMs }: LogRecord): string {
  const next = event === 'job.retried' && delayMs !== undefined ? `, next in ${formatDuration(delayMs)}` : '';
  return `attempt ${attempt}${next}`;
}
