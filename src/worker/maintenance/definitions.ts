import type { Clock } from '../../core/clock.ts';
import { pruneDefinitions } from '../../flow/definition-prune.ts';
import type { Store } from '../../store/store.ts';
import type { EventBus } from '../../telemetry/events.ts';
import type { Duty } from '../leader.ts';

const INTERVAL_MS = 3_600_000;

/** Deletes definitions of flows that nothing uses. */
export function definitionsDuty(options: { store: Store; events: EventBus; clock: Clock }): Duty {
  const { store, events, clock } = options;
  return {
    name: 'definitions',
    async run() {
      const { deleted } = await pruneDefinitions(store, clock.now());
      if (deleted > 0) events.emit('store.pruned', { jobs: 0, workers: 0, definitions: deleted });
      return INTERVAL_MS;
    },
  };
}
