import type { Tx } from './rows.ts';

/** Answered by a reading that found something to write: the verb runs again, with the write lock. */
export const NEEDS_WRITE = Symbol('needs the write lock');

/**
 * How a verb runs. With `read` alone it never writes; with `write` alone it always does; with both, `read` is tried
 * first and may answer NEEDS_WRITE.
 */
export interface Verb<Input, Result> {
  readonly read?: (tx: Tx, input: Input) => Result | typeof NEEDS_WRITE;
  readonly write?: (tx: Tx, input: Input) => Result;
}
