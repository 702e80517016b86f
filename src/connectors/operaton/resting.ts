/** Tasks that wait at the engine under this worker's lock until they are due again: retries and snoozed ones. */
export class Resting {
  readonly #until = new Map<string, number>();
  #pruneAt = PRUNE_AT_MIN;

  add(id: string, ms: number): void {
    this.#until.set(id, Date.now() + ms);
    if (this.#until.size < this.#pruneAt) return;
    const now = Date.now();
    for (const [other, until] of this.#until) if (until <= now) this.#until.delete(other);
    this.#pruneAt = Math.max(PRUNE_AT_MIN, this.#until.size * 2);
  }

  ids(): Iterable<string> {
    const now = Date.now();
    return [...this.#until].filter(([, until]) => until > now).map(([id]) => id);
  }
}

const PRUNE_AT_MIN = 1_000;
