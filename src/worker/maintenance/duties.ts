import type { Clock } from '../../core/clock.ts';
import type { Store } from '../../store/store.ts';
import type { EventBus } from '../../telemetry/events.ts';
import type { Duty } from '../leader.ts';
import type { WorkerSettings } from '../settings.ts';
import { ageDuty } from './age.ts';
import { deadLetterDuty } from './dead-letters.ts';
import { definitionsDuty } from './definitions.ts';
import { pruneDuty } from './prune.ts';
import { reapDuty } from './reap.ts';

/** What the leader does for the store. */
export function dutiesOf(
  options: Pick<WorkerSettings, 'leaseMs' | 'crashesMax' | 'deadLetterAlert'> & {
    readonly store: Store;
    readonly events: EventBus;
    readonly clock: Clock;
  },
): Duty[] {
  const duties = [reapDuty(options), pruneDuty(options), ageDuty(options)];
  if (options.store.capabilities.plans) duties.push(definitionsDuty(options));
  const { deadLetterAlert: threshold } = options;
  return threshold > 0 ? [...duties, deadLetterDuty({ ...options, threshold })] : duties;
}
