import type { Store } from '../../store/store.ts';
import type { Duty } from '../leader.ts';

/** How soon ageing that was newly set is noticed; while no queue ages, a look costs one small read. */
const INTERVAL_MAX_MS = 30_000;
/** Between two batches of a sweep: the store is free for claims meanwhile. */
const PAUSE_MS = 50;

/** Sweeps queues with ageing when their time has come, in batches. */
export function ageDuty({ store }: { store: Store }): Duty {
  return {
    name: 'age',
    async run() {
      const { more, nextMs } = await store.age();
      if (more) return PAUSE_MS;
      return Math.min(Math.max(nextMs ?? INTERVAL_MAX_MS, PAUSE_MS), INTERVAL_MAX_MS);
    },
  };
}
