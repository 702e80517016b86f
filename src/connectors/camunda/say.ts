import type { Logger } from '../../telemetry/log.ts';

/** A line of the connector's own; those about jobs are the runner's. */
export type Say = (level: 'info' | 'warn' | 'error', text: string, facts?: object) => void;

/** As connections do: with no logger given, only what goes wrong is told, on standard error. */
export function sayTo(logger: boolean | Logger | undefined, id: string): Say {
  if (logger === false) return () => undefined;
  if (typeof logger === 'object')
    return (level, text, facts = {}) => logger[level]({ workerId: id, ...facts }, text);
  return (level, text) => {
    if (logger === true || level !== 'info') process.stderr.write(`longshore: ${text}\n`);
  };
}
