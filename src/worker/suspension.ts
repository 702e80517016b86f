import { LongshoreError, show } from '../core/errors.ts';
import type { JobWait } from '../core/job-steps.ts';
import { memberOf } from '../core/legible.ts';
import type { Lease } from '../store/store.ts';

/** What ends an attempt for a sleep or a wait, and what is said of a handler that did not let it. */
const CAUSES_MAX = 10;

/** Also where code of the handler's wrapped it. */
export function isSuspension(thrown: unknown): boolean {
  let error = thrown;
  for (let depth = 0; depth < CAUSES_MAX && error != null; depth += 1) {
    if (memberOf(error, 'code') === 'JOB_SUSPENDED') return true;
    error = memberOf(error, 'cause');
  }
  return false;
}

export function swallowed({ id, task }: Lease, waits: readonly JobWait[], cause: unknown): LongshoreError {
  const names = waits.map(({ name }) => show(name)).join(', ');
  return new LongshoreError(
    'SUSPENSION_SWALLOWED',
    `The handler of job ${id} (task '${task}') caught the error that ends an attempt for ${names}, and went on. Throw on errors whose code is JOB_SUSPENDED, and await every sleep and waitFor; for a deadline give waitFor a timeoutMs instead of racing it. The steps that were done are kept.`,
    { ...(cause === null ? {} : { cause }), details: { id, task } },
  );
}
