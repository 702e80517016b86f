import type { End } from './job-end.ts';

interface Batch {
  readonly items: readonly { readonly id: string }[];
  readonly endAt: (index: number) => End | null;
  readonly chars: number;
}

interface Bounds {
  readonly jobs: number;
  readonly chars: number;
}

/** Enough for a result that was asked for as its job ended. */
const ALWAYS: Bounds = { jobs: 256, chars: 1_048_576 };
/** While other connections await results: a second of short jobs. */
const WHILE_AWAITED: Bounds = { jobs: 20_000, chars: 16_777_216 };
const AWAITED_MS = 30_000;

/** The last ends that a connection wrote, batch by batch, so that remembering costs a job nothing. The oldest are forgotten. */
export class RecentEnds {
  #batches: Batch[] = [];
  #jobs = 0;
  #chars = 0;
  #awaitedUntil = Number.NEGATIVE_INFINITY;

  /** Other connections await results: for half a minute more is kept. */
  awaited(): void {
    this.#awaitedUntil = performance.now() + AWAITED_MS;
  }

  add(batch: Batch): void {
    this.#batches.push(batch);
    this.#jobs += batch.items.length;
    this.#chars += batch.chars;
    const { jobs, chars } = performance.now() < this.#awaitedUntil ? WHILE_AWAITED : ALWAYS;
    let forgotten = 0;
    for (let first = this.#batches[0]; first !== undefined; first = this.#batches[forgotten]) {
      if (this.#jobs <= jobs && this.#chars <= chars) break;
      this.#jobs -= first.items.length;
      this.#chars -= first.chars;
      forgotten += 1;
    }
    if (forgotten > 0) this.#batches = this.#batches.slice(forgotten);
  }

  find(ids: ReadonlySet<string>): [id: string, end: End][] {
    const found = new Map<string, End>();
    for (const { items, endAt } of this.#batches)
      for (const [index, { id }] of items.entries()) {
        const end = ids.has(id) ? endAt(index) : null;
        if (end !== null) found.set(id, end);
      }
    return [...found];
  }
}
