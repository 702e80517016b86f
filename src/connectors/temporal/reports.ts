import { formatDuration } from '../../core/duration.ts';
import type { LongshoreError } from '../../core/errors.ts';
import type { Logger } from '../../telemetry/log.ts';
import { warnSparingly } from '../../telemetry/warn-once.ts';
import type { TemporalSettings } from './options.ts';

/** What a worker for Temporal tells of itself; what its activities do, the runner tells. */
export interface Reports {
  started(address: string): void;
  trouble(trouble: LongshoreError, retryMs: number): void;
  back(address: string): void;
  unknown(failure: Error): void;
  /** The SDK did not end in time. */
  stuck(): void;
}

/** To the logger given; without one, trouble alone goes to standard error, so that a worker never only looks idle. */
export function reportsTo(logger: Logger | boolean | undefined, settings: TemporalSettings): Reports {
  const { namespace, taskQueue, activities } = settings;
  const facts = { engine: 'temporal', namespace, taskQueue };
  const warn = warnSparingly();
  const log = typeof logger === 'object' ? logger : null;
  const tell = (level: 'info' | 'warn' | 'error', text: string, more: object): void => {
    if (log !== null) log[level]({ ...facts, ...more }, text);
    else if (logger === true || (logger === undefined && level !== 'info')) warn(text);
  };
  return {
    started: (address) =>
      tell('info', 'Worker started', {
        event: 'engine.connected',
        address,
        activities: [...activities.keys()],
      }),
    trouble: (error, retryMs) =>
      tell(
        'error',
        log === null
          ? `Connection error: ${error.message} Next try in ${formatDuration(retryMs)}.`
          : 'Connection error',
        {
          event: 'engine.failed',
          code: error.code,
          problem: error.message,
          address: error.details.address,
          retryMs,
        },
      ),
    back: (address) => tell('info', 'Connected again', { event: 'engine.connected', address }),
    unknown: (failure) => tell('warn', failure.message, { event: 'task.unknown' }),
    stuck: () =>
      tell('error', 'The SDK of Temporal did not stop in time; it is left alone.', {
        event: 'engine.failed',
      }),
  };
}
