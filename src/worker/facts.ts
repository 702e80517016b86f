import { correlationIdIn } from '../core/meta.ts';
import type { Lease } from '../store/store.ts';
import type { AttemptFacts } from '../telemetry/events.ts';

/** What every event of an attempt says of its job. */
export function facts({ id, queue, task, attempt, meta }: Lease): AttemptFacts {
  const correlationId = correlationIdIn(meta);
  return correlationId === undefined
    ? { id, queue, task, attempt }
    : { id, queue, task, attempt, correlationId };
}
