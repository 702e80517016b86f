import type { Store } from '../../store/store.ts';
import type { EventBus } from '../../telemetry/events.ts';
import type { Duty } from '../leader.ts';

const INTERVAL_MS = 30_000;
/** Between two batches when more is to be deleted: the store is free for claims meanwhile. */
const PAUSE_MS = 50;

/** Deletes what retention no longer keeps, in batches. */
export function pruneDuty(options: { store: Store; events: EventBus }): Duty {
  const { store, events } = options;
  return {
    name: 'prune',
    async run() {
      const { jobs, workers, more } = await store.prune();
      if (jobs + workers > 0) events.emit('store.pruned', { jobs, workers });
      return more ? PAUSE_MS : INTERVAL_MS;
    },
  };
}
