import { LongshoreError, mayPass } from '../core/errors.ts';
import { reasonOf } from '../core/legible.ts';
import { stillInTrouble, type Trouble } from './trouble.ts';

/** What failed claims say of the worker's health. */
export class ClaimTrouble {
  /** Why the last claim failed, where the error is one that does not pass by itself; it is tried again all the same. */
  fault: LongshoreError | null = null;
  /** Since when claims fail, and why; null when the last one was answered. */
  trouble: Trouble | null = null;
  /** Claims in a row that failed in a way nobody expected. */
  #unexpected = 0;

  clear(): void {
    this.#unexpected = 0;
    this.fault = null;
    this.trouble = null;
  }

  /** A claim that failed unexpectedly may have taken jobs with it: only one that brings some shows that it is over. */
  succeeded(broughtJobs: boolean): void {
    if (this.#unexpected === 0 || broughtJobs) this.clear();
  }

  failed(error: unknown, now: number): void {
    if (!mayPass(error)) this.#unexpected += 1;
    this.fault = this.#faultOf(error);
    this.trouble = stillInTrouble(this.trouble, error, now);
  }

  #faultOf(error: unknown): LongshoreError | null {
    if (error instanceof LongshoreError)
      return !error.retryable || this.#unexpected >= UNEXPECTED_MAX ? error : null;
    const message = `A claim failed in Longshore itself: ${reasonOf(error)}`;
    return new LongshoreError('STORE_FAILED', message, { cause: error });
  }
}

/** An unexpected error of the store may pass, but hardly one that comes so many times. */
const UNEXPECTED_MAX = 3;
