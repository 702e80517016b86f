import type { Store } from '../../store/store.ts';
import type { EventBus } from '../../telemetry/events.ts';
import { correlationIds } from '../correlated.ts';
import type { Duty } from '../leader.ts';

const INTERVAL_MIN_MS = 50;
const INTERVAL_MAX_MS = 1_000;

/** Takes back expired leases, every tenth of a lease (50 ms to 1 s): so long is a crashed worker's job late beyond its lease. */
export function reapDuty(options: {
  store: Store;
  events: EventBus;
  leaseMs: number;
  crashesMax: number;
}): Duty {
  const { store, events, leaseMs, crashesMax } = options;
  const intervalMs = Math.min(Math.max(leaseMs / 10, INTERVAL_MIN_MS), INTERVAL_MAX_MS);
  return {
    name: 'reap',
    async run() {
      await reap(store, events, crashesMax);
      return intervalMs;
    },
  };
}

export async function reap(store: Store, events: EventBus, crashesMax: number): Promise<void> {
  const { reaped, damaged = [] } = await store.reap({ crashesMax });
  const correlated = await correlationIds(
    store,
    reaped.map(({ id }) => id),
  );
  for (const [index, { id, queue, task, state, attempt, crashes, error }] of reaped.entries()) {
    const job = { id, queue, task, correlationId: correlated[index] as string };
    events.emit('job.expired', { ...job, state, crashes });
    // Its handler's end was never seen: how long it waited and ran is not known.
    const end = { ...job, attempt, waitMs: 0, runMs: 0 };
    if (state === 'failed') events.emit('job.failed', { ...end, error });
    else if (state === 'cancelled') events.emit('job.cancelled', end);
  }
  // All that was known of them went with their records.
  for (const job of damaged)
    events.emit('job.failed', { ...job, correlationId: job.id, attempt: 0, waitMs: 0, runMs: 0 });
}
