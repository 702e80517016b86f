import type { Clock } from '../core/clock.ts';
import { RUN_PREFIX } from '../core/job-flow.ts';
import type { Store } from './store.ts';

/** Ms since the epoch by the store's clock, as its jobs' times are. `clock`: of this machine, for stores that cannot be asked. */
export async function storeTime(store: Store, clock: Clock): Promise<number> {
  if (!store.capabilities.plans) return clock.now();
  return (await store.duePlans({ keys: [`${RUN_PREFIX}none`], limit: 1 })).now;
}
