import type { EventBus } from '../telemetry/events.ts';
import type { Store } from './store.ts';

/**
 * Measures a store from outside: every verb publishes `store.called` with its time and item count. Stores themselves
 * carry no telemetry. Without a listener a call costs one check.
 */
const VERBS = [
  'enqueue',
  'claim',
  'settle',
  'annotate',
  'beat',
  'disown',
  'retire',
  'workers',
  'reap',
  'prune',
  'age',
  'configureQueue',
  'queues',
  'clear',
  'control',
  'get',
  'list',
  'trail',
  'commit',
  'duePlans',
  'plan',
  'listPlans',
] as const satisfies readonly (keyof Store)[];

type Verb = (...args: readonly unknown[]) => Promise<unknown>;

export function instrument(store: Store, events: EventBus): Store {
  const measured: Record<string, Verb> = {};
  for (const verb of VERBS) {
    const call = (store[verb] as Verb).bind(store);
    measured[verb] = (...args) =>
      events.wants('store.called') ? timed(verb, call, args, events) : call(...args);
  }
  return {
    ...measured,
    capabilities: store.capabilities,
    notifier: store.notifier,
    lock: store.lock,
    transactions: store.transactions,
    keepAlive: (options) => store.keepAlive(options),
    close: () => store.close(),
  } as Store;
}

async function timed(verb: string, call: Verb, args: readonly unknown[], events: EventBus): Promise<unknown> {
  const began = performance.now();
  try {
    return await call(...args);
  } finally {
    const items = Array.isArray(args[0]) ? args[0].length : 1;
    events.emit('store.called', { verb, tookMs: performance.now() - began, items });
  }
}
