import type { Clock } from '../core/clock.ts';
import { LongshoreError } from '../core/errors.ts';

/** Bounds how often an address may come with a wrong token: 20 times in a minute. */
const FAILURES_MAX = 20;
const SPAN_MS = 60_000;
/** Addresses remembered; the oldest are forgotten first. */
const ADDRESSES_MAX = 10_000;

export class FailureLimit {
  readonly #clock: Clock;
  readonly #seen = new Map<string, { count: number; readonly until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws HTTP_TOO_MANY from one failure too many on, until the minute is over. */
  note(address: string): void {
    const now = this.#clock.now();
    const known = this.#seen.get(address);
    const seen = known !== undefined && known.until > now ? known : { count: 0, until: now + SPAN_MS };
    seen.count += 1;
    if (seen !== known) {
      this.#seen.delete(address);
      this.#seen.set(address, seen);
      if (this.#seen.size > ADDRESSES_MAX) this.#seen.delete(this.#seen.keys().next().value as string);
    }
    if (seen.count <= FAILURES_MAX) return;
    const retryAfterS = Math.ceil((seen.until - now) / 1_000);
    throw new LongshoreError(
      'HTTP_TOO_MANY',
      `Too many requests of ${address} had no valid token; try again in ${retryAfterS} s.`,
      { details: { retryAfterS } },
    );
  }
}
