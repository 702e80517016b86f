import type { Clock } from '../core/clock.ts';
import { LongshoreError } from '../core/errors.ts';

/** Bounds how often an address may come with a wrong token, or none, in a minute. */
const SPAN_MS = 60_000;
/** Addresses remembered; the oldest are forgotten first. */
const ADDRESSES_MAX = 10_000;

export class FailureLimit {
  readonly #failuresMax: number;
  readonly #clock: Clock;
  readonly #seen = new Map<string, { count: number; readonly until: number }>();

  constructor(failuresMax: number, clock: Clock) {
    this.#failuresMax = failuresMax;
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
    if (seen.count <= this.#failuresMax) return;
    const retryAfterS = Math.ceil((seen.until - now) / 1_000);
    throw new LongshoreError(
      'HTTP_TOO_MANY',
      `Too many requests of ${address} had no valid token; try again in ${retryAfterS} s.`,
      { details: { retryAfterS } },
    );
  }
}
