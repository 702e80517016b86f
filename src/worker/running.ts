import type { Attempt } from './attempt.ts';

/**
 * The attempts that run, in no order. Each knows its place here, so that its end looks nothing up: to find it by its
 * token took a sixth of the worker's own time for a job that does nothing.
 */
export class RunningAttempts {
  readonly #attempts: Attempt[] = [];

  get size(): number {
    return this.#attempts.length;
  }

  add(attempt: Attempt): void {
    attempt.place = this.#attempts.length;
    this.#attempts.push(attempt);
  }

  /** For one that is in here. */
  remove(attempt: Attempt): void {
    const last = this.#attempts.pop() as Attempt;
    if (last === attempt) return;
    this.#attempts[attempt.place] = last;
    last.place = attempt.place;
  }

  /** A list of its own: attempts may end while somebody goes through it. */
  all(): Attempt[] {
    return [...this.#attempts];
  }
}
