import { correlationIdOf } from '../../core/inherited.ts';
import type { Store } from '../../store/store.ts';
import type { EventBus } from '../../telemetry/events.ts';
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
      const { reaped } = await store.reap({ crashesMax });
      // Those that are not kept are gone.
      const jobs = reaped.length === 0 ? [] : await store.get(reaped.map(({ id }) => id));
      for (const [index, { id, queue, task, state, attempt, crashes, error }] of reaped.entries()) {
        const job = {
          id,
          queue,
          task,
          correlationId: correlationIdOf({ id, meta: jobs[index]?.meta ?? null }),
        };
        events.emit('job.expired', { ...job, state, crashes });
        if (state !== 'failed') continue;
        // Its handler's end was never seen: how long it waited and ran is not known.
        events.emit('job.failed', { ...job, attempt, error, waitMs: 0, runMs: 0 });
      }
      return intervalMs;
    },
  };
}
