import { BATCH_CHARS_MAX } from '../../core/batch.ts';

/**
 * Keeps the calls of one store object in order and puts neighbours together: of the calls made in one tick of the event
 * loop, batches of one verb and one time that follow each other go as one batch, so that many single enqueues cost one
 * script and not one each; a batch that is large by itself leaves at once. Where such a batch fails by what was in it, each of
 * its calls is made alone, so that only the culprit's fails. Whatever else is called goes behind what was
 * called before it. What leaves in a tick goes in one write, without waiting for replies.
 */
export class Channel {
  readonly #mayBlameAnItem: (error: unknown) => boolean;
  #group: Group | null = null;
  /** What takes several round trips and must be over before later calls begin. */
  #barrier: Promise<unknown> | null = null;

  constructor(mayBlameAnItem: (error: unknown) => boolean) {
    this.#mayBlameAnItem = mayBlameAnItem;
  }

  /** Adds items, of `chars` in all, to the batch that is gathered; resolves to the receipts of these items. */
  batch<Item, Receipt>(
    verb: BatchVerb<Item, Receipt>,
    items: readonly Item[],
    { now, chars }: { readonly now: number | undefined; readonly chars: number },
  ): Promise<Receipt[]> {
    const open = this.#group;
    if (
      open !== null &&
      (open.verb !== verb ||
        open.now !== now ||
        open.items.length + items.length > ITEMS_MAX ||
        open.chars + chars > BATCH_CHARS_MAX)
    )
      this.#flush();
    const group =
      this.#group ??
      this.#begin({ verb: verb as BatchVerb<unknown, unknown>, now, items: [], calls: [], chars: 0 });
    group.chars += chars;
    return new Promise((resolve, reject) => {
      const from = group.items.length;
      for (const item of items) group.items.push(item);
      group.calls.push({ from, to: group.items.length, resolve: resolve as Call['resolve'], reject });
      if (items.length >= LARGE) this.#flush();
    });
  }

  /** Calls `verb` behind all that was called before. */
  next<Result>(verb: () => Promise<Result>): Promise<Result> {
    this.#flush();
    return this.#barrier === null ? verb() : this.#barrier.then(verb);
  }

  /** The same for what takes several round trips: later calls wait for its end. */
  alone<Result>(verb: () => Promise<Result>): Promise<Result> {
    const result = this.next(verb);
    const barrier: Promise<void> = result.then(
      () => this.#lift(barrier),
      () => this.#lift(barrier),
    );
    this.#barrier = barrier;
    return result;
  }

  #lift(barrier: Promise<unknown>): void {
    if (this.#barrier === barrier) this.#barrier = null;
  }

  /** Leaves once all that is ready to run in this tick has run. */
  #begin(group: Group): Group {
    this.#group = group;
    queueMicrotask(() => process.nextTick(() => this.#group === group && this.#flush()));
    return group;
  }

  #flush(): void {
    const group = this.#group;
    if (group === null) return;
    this.#group = null;
    void this.#send(group);
  }

  async #send({ verb, items, calls, now }: Group): Promise<void> {
    try {
      const receipts = await this.next(() => verb(items, now));
      for (const { from, to, resolve } of calls) resolve(receipts.slice(from, to));
    } catch (error) {
      if (calls.length > 1 && this.#mayBlameAnItem(error))
        for (const { from, to, resolve, reject } of calls)
          this.next(() => verb(items.slice(from, to), now)).then(resolve, reject);
      else for (const { reject } of calls) reject(error);
    }
  }
}

/** A batch is as large as its caller made it; batches of several callers are put together up to this, and BATCH_CHARS_MAX. */
const ITEMS_MAX = 1_000;

/**
 * From here on, waiting for neighbours gains nothing and costs the overlap: the client writes in the next turn of the event
 * loop, and what is scheduled meanwhile, a worker's handlers above all, would run first, while the server has nothing to do.
 * Then claim and settlement go in one write and are answered as one, by turns with the handlers instead of beside them.
 */
const LARGE = 50;

/** The same function for every call that may be put together. */
export type BatchVerb<Item, Receipt> = (
  items: readonly Item[],
  now: number | undefined,
) => Promise<Receipt[]>;

interface Group {
  readonly verb: BatchVerb<unknown, unknown>;
  readonly now: number | undefined;
  readonly items: unknown[];
  readonly calls: Call[];
  chars: number;
}

interface Call {
  readonly from: number;
  readonly to: number;
  readonly resolve: (receipts: unknown[]) => void;
  readonly reject: (error: unknown) => void;
}
