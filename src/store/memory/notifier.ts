import type { Notifier, Topic } from '../notifier.ts';

/**
 * Hints inside one process. They are gathered and given in a later turn of the loop, never inside the verb that caused
 * them, so that a listener that calls the store again finds it at rest, and a burst of verbs costs one wake-up.
 */
export class MemoryNotifier implements Notifier {
  readonly crossProcess = false;
  readonly #listeners = new Map<Topic, Set<{ readonly call: () => void }>>();
  readonly #pending = new Set<Topic>();

  subscribe(topic: Topic, listener: () => void): () => void {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners);
    const subscription = { call: listener };
    listeners.add(subscription);
    return () => {
      listeners.delete(subscription);
    };
  }

  publish(topics: Iterable<Topic>): void {
    if (this.#pending.size === 0) setImmediate(() => this.#deliver());
    for (const topic of topics) this.#pending.add(topic);
  }

  close(): void {
    this.#listeners.clear();
  }

  #deliver(): void {
    const topics = [...this.#pending];
    this.#pending.clear();
    for (const topic of topics)
      for (const { call } of [...(this.#listeners.get(topic) ?? [])]) callSafely(call);
  }
}

/** A listener that throws is reported as an uncaught exception of its own, and keeps no other from its hint. */
function callSafely(call: () => void): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
