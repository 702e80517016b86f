import type { Place } from './site.ts';

/**
 * The ceiling: what a loop written by hand for one purpose reaches on the same store. Same layout where the store has
 * one (Longshore made it), same durability, same retention (finished jobs are kept), same payload. It writes and reads
 * JSON, makes time-ordered ids and fences by a lease number, and nothing more: one connection, no leases that expire,
 * no retries, no priorities of tasks, no events.
 */
export interface HandWrittenLoop {
  /** One transaction a batch. */
  enqueue(inputs: readonly unknown[], batch: number): void | Promise<void>;
  /**
   * One transaction a batch: completes the batch before and claims the next, until there is none. Handlers of a batch run at the
   * same time. Resolves to how many jobs were completed.
   */
  process(batch: number, handler: (input: unknown) => unknown): Promise<number>;
  /** Inserts one job in a transaction of its own, which also tells `message` to those who listen, where it is given. */
  commitOne(input: unknown, message?: string): void | Promise<void>;
  /** Calls back for every message. Resolves when it listens. Not for SQLite, which has nobody to tell. */
  listen(onMessage: (message: string) => void): Promise<void>;
  count(): LoopCounts | Promise<LoopCounts>;
  /** Deletes all jobs. */
  purge(): Promise<void>;
  close(): void | Promise<void>;
}

export interface LoopCounts {
  readonly ready: number;
  readonly running: number;
  readonly completed: number;
}

/** What a loop by hand needs to know of its place. */
export type LoopPlace = Pick<Place, 'url' | 'server'>;

/** What the handlers of a batch gave, once all of them have. */
export function resultsOf(started: readonly unknown[]): readonly unknown[] | Promise<readonly unknown[]> {
  return started.some((result) => result instanceof Promise) ? Promise.all(started) : started;
}
