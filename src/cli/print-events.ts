import { isError } from '../core/legible.ts';
import { EVENT_NAMES, type EventName, type Events } from '../telemetry/events.ts';
import type { EventSource } from '../telemetry/log.ts';

/** Events that come with every round trip; a reader of jobs does not want them. */
const LEFT_OUT: ReadonlySet<EventName> = new Set([
  'store.called',
  'worker.claimed',
  'worker.settled',
  'tuner.sampled',
]);

/** Writes events as JSON, one line each: `at` (ms since the epoch), `event` (its name), and its facts. */
export function printEvents(source: EventSource, write: (line: string) => void): void {
  for (const name of EVENT_NAMES) {
    if (LEFT_OUT.has(name)) continue;
    source.on(name, (event: Events[EventName]) =>
      write(JSON.stringify({ at: Date.now(), event: name, ...event }, jsonError)),
    );
  }
}

/** Errors have no enumerable facts; a LongshoreError has a toJSON, which comes first. */
function jsonError(_key: string, value: unknown): unknown {
  return isError(value) ? { name: value.name, message: value.message, stack: value.stack } : value;
}
