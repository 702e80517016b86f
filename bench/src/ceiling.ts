import type { Place } from './site.ts';

/**
 * The ceiling: what a loop written by hand for one purpose reaches on the same store. Same layout where the store has
 * one (Longshore made it), same durability, same retention (finished jobs are kept), same payload. It writes and reads
 * JSON, makes time-ordered ids and fences by a lease number, and nothing more: one connection, no leases that expire,
 * no retries, no priorities of tasks, no events.
 */
export interface HandWrittenLoop {
  /** The same on other jobs first, which are deleted then. */
  warmUp(inputs: readonly unknown[], batch: number): void | Promise<void>;
  /** One transaction a batch. */
  enqueue(inputs: readonly unknown[], batch: number): void | Promise<void>;
  /** One transaction a batch: completes the batch before and claims the next. Returns how many jobs were completed. */
  process(batch: number, handler: (input: unknown) => unknown): number | Promise<number>;
  /** Inserts one job in a transaction of its own, which also tells `message` to those who listen, where it is given. */
  commitOne(input: unknown, message?: string): void | Promise<void>;
  /** Calls back for every message. Resolves when it listens. Not for SQLite, which has nobody to tell. */
  listen(onMessage: (message: string) => void): Promise<void>;
  count(): LoopCounts | Promise<LoopCounts>;
  close(): void | Promise<void>;
}

export interface LoopCounts {
  readonly ready: number;
  readonly running: number;
  readonly completed: number;
}

/** What a loop by hand needs to know of its place. */
export type LoopPlace = Pick<Place, 'url' | 'server'>;

/** What all loops are, in one sentence for the reader of a result. */
export const CEILINGS = {
  memory: 'A Map and an array are no store to compare with: no leases, no retries, no retention.',
  sqlite:
    'A loop written by hand on the same schema: batches of the same size, prepared statements, WAL, synchronous=FULL, finished jobs kept, one thread.',
  postgres:
    'A loop written by hand on the same schema: batches of the same size, one connection, two prepared statements, each a transaction: insert by unnest; complete the last batch (delete, and insert into history) while claiming the next (SKIP LOCKED).',
  redis:
    'A loop written by hand: batches of the same size, one connection, two Lua scripts: add; complete the last batch (finished records kept, counted) and claim the next. Compact records in a hash, the line in a list.',
} as const;
