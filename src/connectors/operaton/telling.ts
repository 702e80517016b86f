import type { Logger } from '../../telemetry/log.ts';
import { warnSparingly } from '../../telemetry/warn-once.ts';

/** What a connector has to say besides the events of its runner. */
export type Tell = (level: 'warn' | 'info', facts: object, text: string) => void;

/** Without a logger only what is wrong is told, on standard error, and the same once a minute at most. */
export function tellTo(logger: boolean | Logger | undefined): Tell {
  if (logger === false) return () => undefined;
  if (typeof logger === 'object') return (level, facts, text) => logger[level](facts, text);
  const warn = warnSparingly();
  return (level, _facts, text) => {
    if (level === 'warn' || logger === true) warn(text);
  };
}
