import type { Topic } from '../notifier.ts';

/** Between two notifications of one store, at least. */
const APART_MS = 5;

/**
 * When to tell other processes what was committed. A notification makes commits wait for each other, so a busy store
 * sends one every few milliseconds: what comes in between is told once, when that time is over.
 */
export class HintPacer {
  readonly #send: (topics: readonly Topic[]) => void;
  readonly #publish: (topics: ReadonlySet<Topic>) => void;
  readonly #owed = new Set<Topic>();
  #sentAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;

  /** `send` tells other processes, `publish` this store's own listeners. */
  constructor(send: (topics: readonly Topic[]) => void, publish: (topics: ReadonlySet<Topic>) => void) {
    this.#send = send;
    this.#publish = publish;
  }

  /** Whether a transaction may notify by itself. */
  get open(): boolean {
    return this.#timer === null && performance.now() - this.#sentAt >= APART_MS;
  }

  /** A transaction was committed; `told` when it notified by itself. */
  committed(topics: ReadonlySet<Topic>, told: boolean): void {
    if (topics.size === 0) return;
    if (told) this.#sentAt = performance.now();
    else this.#owe(topics);
    this.#publish(topics);
  }

  /** Tells what is owed, at once. */
  flush(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#sentAt = performance.now();
    const topics = [...this.#owed];
    this.#owed.clear();
    this.#send(topics);
  }

  #owe(topics: ReadonlySet<Topic>): void {
    for (const topic of topics) this.#owed.add(topic);
    this.#timer ??= setTimeout(() => this.flush(), APART_MS);
  }
}
