import type { Store } from '../../store/store.ts';
import type { EventBus } from '../../telemetry/events.ts';
import type { Duty } from '../leader.ts';

const INTERVAL_MS = 30_000;

/** Tells when a queue holds `threshold` dead letters or more: once when it gets there, again after it was below. */
export function deadLetterDuty(options: { store: Store; events: EventBus; threshold: number }): Duty {
  const { store, events, threshold } = options;
  let told = new Set<string>();
  return {
    name: 'dead-letters',
    async run() {
      const full = (await store.queues()).filter(({ counts }) => counts.failed >= threshold);
      for (const { name, counts } of full) {
        if (!told.has(name))
          events.emit('queue.deadLetters', { queue: name, failed: counts.failed, threshold });
      }
      // A queue that is empty by now is not listed at all.
      told = new Set(full.map(({ name }) => name));
      return INTERVAL_MS;
    },
  };
}
