import type { Topic } from '../notifier.ts';

/** Between two notifications of one store, at least. What waits here waits before it is picked up elsewhere. */
const APART_MS = 2;
/** The same for ends of jobs alone, which only who awaits a result wants to know of, and which a busy worker has always. */
const ENDS_APART_MS = 25;

/**
 * When to tell other processes what was committed. A notification makes commits wait for each other and wakes every
 * process that listens, so a busy store sends one now and then: what comes in between is told once, when that time is over.
 * Of outcomes none is told by their own transaction, which would keep enqueues that notify waiting for its way to the disk.
 */
export class HintPacer {
  readonly #send: (topics: readonly Topic[]) => void;
  readonly #publish: (topics: ReadonlySet<Topic>) => void;
  readonly #owed = new Set<Topic>();
  #sentAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #flushesAt = Number.POSITIVE_INFINITY;

  /** `send` tells other processes, `publish` this store's own listeners. */
  constructor(send: (topics: readonly Topic[]) => void, publish: (topics: ReadonlySet<Topic>) => void) {
    this.#send = send;
    this.#publish = publish;
  }

  /** Whether a transaction may notify by itself that is not about outcomes. */
  get isOpen(): boolean {
    return performance.now() - this.#sentAt >= APART_MS;
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
    if (this.#owed.size === 0) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#flushesAt = Number.POSITIVE_INFINITY;
    this.#sentAt = performance.now();
    const topics = [...this.#owed];
    this.#owed.clear();
    this.#send(topics);
  }

  #owe(topics: ReadonlySet<Topic>): void {
    for (const topic of topics) this.#owed.add(topic);
    const endsAlone = this.#owed.size === 1 && this.#owed.has('settled');
    const flushesAt = this.#sentAt + (endsAlone ? ENDS_APART_MS : APART_MS);
    if (this.#flushesAt <= flushesAt) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const waitMs = flushesAt - performance.now();
    if (waitMs <= 0) {
      this.flush();
      return;
    }
    this.#flushesAt = flushesAt;
    this.#timer = setTimeout(() => this.flush(), waitMs);
  }
}
