import type { CancelTimer, Clock } from '../core/clock.ts';

/** Answers that cost the store more than a look: asked for once in a while for all who look, whatever their number. */
const ENTRIES_MAX = 100;

interface Entry<Value> {
  readonly at: number;
  readonly value: Promise<Value>;
}

export class Cache<Value> {
  readonly #clock: Clock;
  readonly #keptMs: number;
  /** The oldest first, since all are kept equally long. */
  readonly #entries = new Map<string, Entry<Value>>();
  #cancelSweep: CancelTimer | null = null;

  constructor(clock: Clock, keptMs: number) {
    this.#clock = clock;
    this.#keptMs = keptMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** `make` is called where nothing that is new enough is kept; its failure is not kept. */
  get(key: string, make: () => Promise<Value>): Promise<Value> {
    const known = this.#entries.get(key);
    if (known !== undefined && this.#isNew(known)) return known.value;
    const entry = { at: this.#clock.now(), value: make() };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > ENTRIES_MAX) this.#entries.delete(this.#entries.keys().next().value as string);
    entry.value.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    });
    this.#sweepLater();
    return entry.value;
  }

  clear(): void {
    this.#entries.clear();
    this.#cancelSweep?.();
    this.#cancelSweep = null;
  }

  /** Somebody may set the machine's clock back. */
  #isNew({ at }: Entry<Value>): boolean {
    const now = this.#clock.now();
    return at <= now && now < at + this.#keptMs;
  }

  /** An answer may be megabytes, and nobody may ask again: what is over is let go of by then. */
  #sweepLater(): void {
    this.#cancelSweep ??= this.#clock.after(this.#keptMs, () => {
      this.#cancelSweep = null;
      for (const [key, entry] of this.#entries) if (!this.#isNew(entry)) this.#entries.delete(key);
      if (this.#entries.size > 0) this.#sweepLater();
    });
  }
}
