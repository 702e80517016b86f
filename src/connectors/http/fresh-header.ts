import type { CancelTimer, Clock } from '../../core/clock.ts';
import type { LongshoreError } from '../../core/errors.ts';
import type { Rest } from './rest.ts';

interface FreshHeaderOptions {
  readonly rest: Pick<Rest, 'refreshAuthorization'>;
  readonly clock: Clock;
  /** Shortest time of a lock, in ms. */
  readonly lockMs: number;
  readonly holdsLocks: () => boolean;
}

/**
 * Keeps the header with which locks are extended a valid one: a worker whose slots are all taken may send no other request for longer
 * than a token lives. It is asked for every third of a lock's time while locks are held, and when the engine refuses it.
 */
export class FreshHeader {
  readonly #options: FreshHeaderOptions;
  #cancel: CancelTimer | null = null;

  constructor(options: FreshHeaderOptions) {
    this.#options = options;
  }

  /** Idempotent. A lock is held from now on. */
  watch(): void {
    if (this.#cancel !== null) return;
    const { rest, clock, lockMs, holdsLocks } = this.#options;
    this.#cancel = clock.after(lockMs / 3, () => {
      this.#cancel = null;
      if (!holdsLocks()) return;
      this.watch();
      void rest.refreshAuthorization();
    });
  }

  /** What became of a lock's extension. */
  onTrouble({ details }: LongshoreError): void {
    if (details.status === 401) void this.#options.rest.refreshAuthorization(true);
  }

  close(): void {
    this.#cancel?.();
  }
}
