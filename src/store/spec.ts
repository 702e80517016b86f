import type { LogLine } from '../core/job.ts';
import type { JobState } from '../core/job-state.ts';
import type { Outcome } from '../core/outcome.ts';
import type { UniqueSpec } from '../core/unique.ts';

/** Jobs in and outcomes in: what verbs of both parts of the contract take (store.ts, plans.ts). */

export interface Timed {
  readonly now?: number;
}

/** A job to be. Validated by the client (src/queue); stores trust it. */
export interface JobSpec {
  /** Given by the client, so that an enqueue can be repeated after a lost reply: an id that exists already is not added again. */
  readonly id: string;
  /** The id was made for this very call, so no job can have it yet, nor have had it: it need not be looked for. Not of a repeat. */
  readonly isNew?: boolean;
  readonly queue: string;
  readonly task: string;
  readonly priority: number;
  readonly input: string | null;
  readonly attemptsMax: number;
  /** Milliseconds from the store's now; 0 = ready at once. Ignored when `dueAt` is given. */
  readonly delayMs: number;
  /** Absolute time in ms since the epoch; a past one counts as now. */
  readonly dueAt: number | null;
  readonly unique: UniqueSpec | null;
  /** Whose turn the job takes in its queue (core/limits.ts); 1 to 200 characters, null for a job that waits for nobody. */
  readonly key: string | null;
  /** JSON text (core/meta.ts) that the store carries along and does not read; absent or null for a job without any. */
  readonly meta?: string | null;
}

/**
 * `created`: a new job. `existing`: nothing was added, `id` is the holder of the unique key (or the same id again).
 * `replaced`: the waiting holder `id` took the new values. `conflict`: refused (mode `reject`), `id` is the holder.
 */
export interface EnqueueReceipt {
  readonly status: 'created' | 'existing' | 'replaced' | 'conflict';
  readonly id: string;
  readonly state: JobState;
}

export interface Settlement {
  readonly id: string;
  readonly token: string;
  readonly outcome: Outcome;
}

/** `lost`: the token is not the job's current one; nothing was written. */
export type SettleReceipt =
  | { readonly status: 'settled'; readonly state: JobState }
  | { readonly status: 'lost' };

export interface Note {
  readonly id: string;
  readonly token: string;
  /** Encoded; absent = unchanged. */
  readonly progress?: string | null;
  readonly logs?: readonly LogLine[];
}
