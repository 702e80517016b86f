/** How often lost claims are looked for. */
const LOOK_MS = 1_000;

/**
 * Claims whose answers may have been lost: their connection broke, and their jobs, if they got any, are leased to a
 * worker that knows nothing of them and whose heartbeats would renew them for ever. They are looked for by their ids
 * and given back, until they are found or the server answered for two lease times.
 */
export class Lost {
  readonly #giveBack: (claims: readonly string[]) => Promise<readonly string[]>;
  readonly #claims = new Map<string, { readonly leaseMs: number; until: number }>();
  #timer: NodeJS.Timeout | null = null;

  /** `giveBack` resolves to the ids of the claims it found. */
  constructor(giveBack: (claims: readonly string[]) => Promise<readonly string[]>) {
    this.#giveBack = giveBack;
  }

  add(claims: readonly { readonly id: string; readonly leaseMs: number }[]): void {
    for (const { id, leaseMs } of claims)
      this.#claims.set(id, { leaseMs, until: performance.now() + 2 * leaseMs });
    if (claims.length > 0) this.#later();
  }

  /** Those that were not found yet. */
  get claims(): string[] {
    return [...this.#claims.keys()];
  }

  found(ids: readonly string[]): void {
    for (const id of ids) this.#claims.delete(id);
  }

  close(): void {
    this.#claims.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #later(): void {
    this.#timer ??= setTimeout(() => void this.#look(), LOOK_MS).unref();
  }

  async #look(): Promise<void> {
    const now = performance.now();
    const answered = await this.#ask();
    for (const [id, claim] of this.#claims) {
      // A server that stands still may yet carry out what it was sent: the time counts while it answers.
      if (!answered) claim.until = performance.now() + 2 * claim.leaseMs;
      else if (claim.until < now) this.#claims.delete(id);
    }
    this.#timer = null;
    if (this.#claims.size > 0) this.#later();
  }

  async #ask(): Promise<boolean> {
    try {
      if (this.#claims.size > 0) this.found(await this.#giveBack(this.claims));
      return true;
    } catch {
      return false;
    }
  }
}
