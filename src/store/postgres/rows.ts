import { LongshoreError } from '../../core/errors.ts';
import { allows, type JobMove, type JobState } from '../../core/job-state.ts';
import type { Topic } from '../notifier.ts';

/** What a verb works with: the open transaction, the time, and the hints to give with its commit. */
export interface Tx {
  /**
   * One statement on the transaction's connection, sent at once. Its text is prepared once a connection, so texts must
   * be few: values go in as parameters, lists as one JSON text or one array. Whole numbers, bigint included, come back
   * as numbers, json and jsonb parsed, all other types as PostgreSQL writes them.
   */
  query<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Whole ms since the epoch; the server's clock unless the call gave `now`. */
  readonly now: number;
  readonly topics: Set<Topic>;
  /** Quoted identifier, for the texts of statements. */
  readonly schema: string;
}

/**
 * A row of the table `job`. Locks are taken in this order, against deadlocks: rows of `job` by seq, entries of `fresh`, the stripes of keys
 * (`lock_keys` in SQL), rows of `lease` by token, the row of `queue`.
 */
export interface JobRow {
  readonly seq: number;
  readonly id: string;
  readonly queue: string;
  readonly task: string;
  readonly state: JobState;
  readonly priority: number;
  readonly attempt: number;
  readonly attempts_max: number;
  readonly crashes: number;
  readonly cancel_requested: boolean;
  readonly trailed: boolean;
  /** See TURN in turns.ts. */
  readonly turn: number;
  readonly lease: number | null;
  readonly created_at: number;
  readonly due_at: number;
  readonly started_at: number | null;
  readonly ticket: number | null;
  readonly unique_key: string | null;
  readonly key: string | null;
  readonly progress: string | null;
  readonly input: string | null;
  readonly meta: string | null;
}

/** A row of the table `history`. */
export interface HistoryRow extends Omit<JobRow, 'trailed' | 'turn' | 'lease' | 'ticket'> {
  readonly finished_at: number;
  readonly result: string | null;
  /** JSON: `[[kind, entry], ...]`, the entries being JSON values, oldest first. */
  readonly trail: string | null;
}

/** Whole milliseconds; rounded up, so that nothing runs early. */
export function wholeMs(ms: number): number {
  return Math.ceil(ms);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether the database could hold it: any other id is no job's, and must not reach a statement. */
export function isUuid(id: string): boolean {
  return UUID.test(id);
}

/** Guards every write of a state: throws JOB_STATE_REFUSED for a move that is not in the transition table. */
export function requireMove(job: Pick<JobRow, 'id' | 'state'>, move: JobMove, to: JobState): void {
  if (allows(job.state, move, to)) return;
  throw new LongshoreError(
    'JOB_STATE_REFUSED',
    `Job ${job.id} is ${job.state}; '${move}' to ${to} is refused.`,
    { details: { id: job.id, state: job.state, move, to } },
  );
}
