import type { AttemptError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import type { TerminalState } from '../core/job-state.ts';

/** How an awaited job ended. */
export interface JobEnd {
  readonly state: TerminalState;
  /** Encoded. */
  readonly result: string | null;
  /** As the store keeps it; null when it kept nothing of it. */
  readonly job: Job | null;
  /** The last one, where the store kept nothing of the job. */
  readonly error: AttemptError | null;
}

/** As the one who ended it knows. */
export type End = Omit<JobEnd, 'job'>;
