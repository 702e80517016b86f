import { correlationIdOf } from '../core/inherited.ts';
import type { Lease } from '../store/store.ts';
import type { AttemptFacts } from '../telemetry/events.ts';

/** What every event of an attempt says of its job. */
export function facts(lease: Lease): AttemptFacts {
  const { id, queue, task, attempt } = lease;
  return { id, queue, task, attempt, correlationId: correlationIdOf(lease) };
}
