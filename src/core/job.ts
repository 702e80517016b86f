import type { JobState } from './job-state.ts';

/** Lower runs first; any 32-bit whole number, default 0. */
export type Priority = number;

export const NAMED_PRIORITIES = { high: -10, medium: 0, low: 10 } as const;

export type PriorityName = keyof typeof NAMED_PRIORITIES;

export const QUEUE_DEFAULT = 'default';

/** Stands for all queues, for pause and resume; no queue may have this name. */
export const ALL_QUEUES = '*';

/** A job as a store keeps it. Times are in ms since the epoch; payloads are encoded text (payload.ts). */
export interface Job {
  readonly id: string;
  /** Place in the line: grows with every enqueue; FIFO within (queue, priority) goes by it. */
  readonly seq: number;
  readonly queue: string;
  readonly task: string;
  readonly state: JobState;
  readonly priority: Priority;
  readonly input: string | null;
  readonly result: string | null;
  /** Number of the last attempt; 0 before the first claim. */
  readonly attempt: number;
  /** Attempts that may end in an error before the job fails. */
  readonly attemptsMax: number;
  /** Leases that expired. */
  readonly crashes: number;
  readonly createdAt: number;
  /** When the job may or might run, or became ready. */
  readonly dueAt: number;
  /** Start of the last attempt's lease. */
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly uniqueKey: string | null;
  /** Jobs of one queue and key take turns with those of other keys, and share limits (limits.ts). */
  readonly key: string | null;
  /** True while the job is ready but waits for its key's turn: it is not claimable yet. */
  readonly held: boolean;
  readonly progress: string | null;
  /** JSON text (meta.ts), apart from the payloads and never encrypted; null for a job without any. */
  readonly meta: string | null;
  readonly cancelRequested: boolean;
  /** The worker that holds the lease; null unless running. */
  readonly workerId: string | null;
  readonly leaseExpiresAt: number | null;
}

/** A line a handler wrote with `log`. `data` is encoded text. */
export interface LogLine {
  readonly at: number;
  readonly attempt: number;
  readonly message: string;
  readonly data: string | null;
}

/** An operator's action on a job: who, when, why. */
export interface AuditEntry {
  readonly at: number;
  readonly action: string;
  readonly by: string;
  readonly why: string | null;
  readonly from: JobState;
  readonly to: JobState | null;
}
