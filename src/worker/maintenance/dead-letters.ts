import type { Store } from '../../store/store.ts';
import type { EventBus } from '../../telemetry/events.ts';
import type { Duty } from '../leader.ts';

const INTERVAL_MS = 30_000;

/** Tells when a queue holds `threshold` dead letters or more: once when it gets there, again after it was below. */
export function deadLetterDuty(options: { store: Store; events: EventBus; threshold: number }): Duty {
  const { store, events, threshold } = options;
  const told = new Set<string>();
  return {
    name: 'dead-letters',
    async run() {
      for (const { name, counts } of await store.queues()) {
        if (counts.failed < threshold) told.delete(name);
        else if (!told.has(name)) {
          told.add(name);
          events.emit('queue.deadLetters', { queue: name, failed: counts.failed, threshold });
        }
      }
      return INTERVAL_MS;
    },
  };
}
