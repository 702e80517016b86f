import { optionInvalid } from './core/errors.ts';
import type { EventBus } from './telemetry/events.ts';
import type { Logger } from './telemetry/log.ts';
import { tellUnheard } from './telemetry/unheard.ts';

/** What tells of a connection's events. The exporters are loaded on use: pino takes 3 MB. Throws OPTION_INVALID. */
export async function logFor(logger: boolean | Logger | undefined): Promise<(events: EventBus) => void> {
  if (logger === undefined) return (events) => tellUnheard(events);
  if (logger === false) return () => undefined;
  if (logger !== true) requireLogger(logger);
  const { logTo, logToConsole } = await import('./telemetry/console-log.ts');
  return logger === true ? logToConsole : (events) => logTo(events, logger);
}

function requireLogger(logger: Logger): void {
  const lacking = LEVELS.filter((level) => typeof (logger as Partial<Logger> | null)?.[level] !== 'function');
  if (lacking.length > 0)
    throw optionInvalid(
      'logger',
      logger,
      `true, false, or a logger with the methods ${LEVELS.join(', ')} (it lacks ${lacking.join(', ')})`,
    );
}

const LEVELS = ['error', 'warn', 'info', 'debug'] as const;
