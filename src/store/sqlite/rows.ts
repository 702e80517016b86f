import { LongshoreError } from '../../core/errors.ts';
import { allows, type JobMove, type JobState } from '../../core/job-state.ts';
import type { Topic } from '../notifier.ts';
import type { Connection } from './connection.ts';

/** What a verb works with: the open transaction, the time, and the hints to give once it is committed. */
export interface Tx {
  readonly db: Connection;
  /** Whole ms since the epoch. */
  readonly now: number;
  readonly topics: Set<Topic>;
}

/** A row of the table `job`. */
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
  readonly cancel_requested: number;
  readonly lease: number | null;
  readonly created_at: number;
  readonly due_at: number;
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly unique_key: string | null;
  readonly key: string | null;
  /** See TURN in turns.ts. */
  readonly turn: number;
  readonly ticket: number | null;
  readonly progress: string | null;
  readonly meta: string | null;
  /** Null also for an input that lies apart (inputs.ts). */
  readonly input: string | null;
  readonly result: string | null;
}

/** The columns a finished job's end depends on. */
export type Ending = Pick<JobRow, 'seq' | 'id' | 'queue' | 'unique_key'>;

export function jobById(tx: Tx, id: string): JobRow | undefined {
  return tx.db.get<JobRow>('SELECT * FROM job WHERE id = ?', id);
}

/** Whole milliseconds; rounded up, so that nothing runs early. */
export function wholeMs(ms: number): number {
  return Math.ceil(ms);
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
