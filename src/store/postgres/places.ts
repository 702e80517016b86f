/**
 * How many connections are lent at a time. One more is opened whenever somebody waits, but who waits gets the next one that is
 * given back: a connection that is opened for a call has all to learn before it carries it, 20 to 50 ms, where one that is
 * in use is back in one. So a hiccup, in which calls overlap that else never do, does not become a long one.
 */
export class Places {
  readonly #max: number;
  readonly #open: () => Promise<void>;
  #count: number;
  #taken = 0;
  readonly #waiting: (() => void)[] = [];
  #opening: Promise<void> | null = null;
  /** Of all who asked for the one that is being opened. */
  #thens: (() => void)[] = [];

  /** `open` opens one connection more, when all others are lent; it may fail. */
  constructor(count: number, max: number, open: () => Promise<void>) {
    this.#count = count;
    this.#max = max;
    this.#open = open;
  }

  /** Connections that are there, or may be opened by whoever wants one. */
  get count(): number {
    return this.#count;
  }

  /** Null: there was one. */
  take(): Promise<void> | null {
    if (this.#taken < this.#count) {
      this.#taken += 1;
      return null;
    }
    this.grow();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  leave(): void {
    const next = this.#taken > this.#count ? undefined : this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else next();
  }

  /** All are in use and somebody has use for one more. `then` is called when it is there; where it cannot be had, not. */
  grow(then?: () => void): void {
    if (this.#count >= this.#max) return;
    if (then !== undefined && !this.#thens.includes(then)) this.#thens.push(then);
    if (this.#opening !== null) return;
    const opened = (): void => {
      this.#opening = null;
      this.#count += 1;
      while (this.#taken < this.#count && this.#waiting.length > 0) {
        this.#taken += 1;
        this.#waiting.shift()?.();
      }
      for (const tell of this.#thens.splice(0)) tell();
    };
    this.#opening = this.#open().then(opened, () => {
      this.#opening = null;
      this.#thens = [];
    });
  }

  /** One was closed. The last place stays: who takes it opens one. */
  shrink(): void {
    this.#count = Math.max(1, this.#count - 1);
  }

  /** Resolves when none is being opened. */
  async quiet(): Promise<void> {
    await this.#opening;
  }
}
