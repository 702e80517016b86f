import type { Format } from './output.ts';
import { absoluteTime, printable } from './text.ts';

/** pino's numbers. */
const WARN = 40;
const ERROR = 50;

/** What `longshore work` tells a person itself. */
const TOLD: ReadonlySet<string> = new Set(['worker.started', 'worker.stopping', 'worker.stopped']);

/** A record of the log (telemetry/log.ts) as a person reads it: time, what happened. Null when it is told already. */
export function prettyLine(record: string, paint: (format: Format, text: string) => string): string | null {
  const { time, level, event, msg } = JSON.parse(record) as {
    time: number;
    level: number;
    event: string;
    msg: string;
  };
  if (TOLD.has(event)) return null;
  const clock = paint('dim', absoluteTime(time).slice(11));
  return `${clock}  ${paint(formatOf(event, level), printable(msg))}`;
}

function formatOf(event: string, level: number): Format {
  if (level >= ERROR) return 'red';
  if (level >= WARN) return 'yellow';
  return event === 'job.completed' ? 'green' : 'reset';
}
