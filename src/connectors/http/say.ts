import type { Logger } from '../../telemetry/log.ts';
import { warnSparingly } from '../../telemetry/warn-once.ts';

/** A line of the connector's own; those about jobs are the runner's. */
export type Say = (level: 'info' | 'warn' | 'error', text: string, facts?: object) => void;

/**
 * As connections do: with no logger given, only what goes wrong is told, on standard error, the same once a minute at most. `always`:
 * facts of each line.
 */
export function sayTo(logger: boolean | Logger | undefined, always: object = {}): Say {
  if (logger === false) return () => undefined;
  if (typeof logger === 'object')
    return (level, text, facts = {}) => logger[level]({ ...always, ...facts }, text);
  const warn = warnSparingly();
  return (level, text) => {
    if (logger === true || level !== 'info') warn(text);
  };
}
