import type { Clock } from '../core/clock.ts';

/** Answers that cost the store more than a look: asked for once in a while for all who look, whatever their number. */
const ENTRIES_MAX = 100;

export class Cache<Value> {
  readonly #clock: Clock;
  readonly #keptMs: number;
  readonly #entries = new Map<string, { readonly until: number; readonly value: Promise<Value> }>();

  constructor(clock: Clock, keptMs: number) {
    this.#clock = clock;
    this.#keptMs = keptMs;
  }

  /** `make` is called where nothing that is new enough is kept; its failure is not kept. */
  get(key: string, make: () => Promise<Value>): Promise<Value> {
    const known = this.#entries.get(key);
    if (known !== undefined && known.until > this.#clock.now()) return known.value;
    const value = make();
    this.#entries.delete(key);
    this.#entries.set(key, { until: this.#clock.now() + this.#keptMs, value });
    if (this.#entries.size > ENTRIES_MAX) this.#entries.delete(this.#entries.keys().next().value as string);
    value.catch(() => this.#entries.delete(key));
    return value;
  }

  clear(): void {
    this.#entries.clear();
  }
}
