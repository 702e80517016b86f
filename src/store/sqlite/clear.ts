import type { JobState } from '../../core/job-state.ts';
import { Departures } from './leases.ts';
import { deleteJobs } from './retention.ts';
import type { JobRow, Tx } from './rows.ts';
import { admit } from './turns.ts';

/**
 * Deleting a queue's jobs in steps, the newest first. Each step is one call for the store thread and one transaction of a
 * bounded number of rows, so that other calls and processes get their turn in between.
 */
export interface ClearStep {
  readonly queue: string;
  readonly states: readonly JobState[];
  /** Jobs are looked for below this number; null in the first step. */
  readonly below: number | null;
}

export interface Cleared {
  readonly jobs: number;
  /** For the next step; null at the end. */
  readonly below: number | null;
}

/** Jobs a step deletes at most. */
export const CLEAR_STEP = 2_000;
/** Jobs a step looks at, those of other queues and states included. */
const LOOKED_AT = 50_000;

/** The outcomes of running jobs will be lost. */
export function clear(tx: Tx, { queue, states, below }: ClearStep): Cleared {
  const bound = below ?? Number.MAX_SAFE_INTEGER;
  const doomed = tx.db.all<Pick<JobRow, 'seq' | 'lease' | 'key'>>(
    `SELECT seq, lease, key FROM (SELECT seq, lease, key, queue, state FROM job WHERE seq < ? ORDER BY seq DESC LIMIT +?)
     WHERE queue = ? AND state IN (SELECT value FROM json_each(?)) LIMIT +?`,
    bound,
    LOOKED_AT,
    queue,
    JSON.stringify(states),
    CLEAR_STEP,
  );
  if (doomed.length > 0) remove(tx, queue, doomed);
  if (doomed.length === CLEAR_STEP) return { jobs: doomed.length, below: doomed.at(-1)?.seq ?? null };
  return { jobs: doomed.length, below: lastLookedAt(tx, bound, LOOKED_AT - doomed.length) };
}

/** The number of the `looked`th job from above; null where there are fewer. */
function lastLookedAt(tx: Tx, below: number, looked: number): number | null {
  const row = tx.db.get<{ seq: number }>(
    'SELECT seq FROM job WHERE seq < ? ORDER BY seq DESC LIMIT 1 OFFSET +?',
    below,
    looked - 1,
  );
  return row?.seq ?? null;
}

function remove(tx: Tx, queue: string, doomed: readonly Pick<JobRow, 'seq' | 'lease' | 'key'>[]): void {
  const departures = new Departures();
  for (const { lease } of doomed) if (lease !== null) departures.add(lease);
  const seqs = doomed.map(({ seq }) => seq);
  tx.db.run(
    `DELETE FROM unique_key WHERE (key, id) IN (
       SELECT unique_key, id FROM job WHERE unique_key IS NOT NULL AND seq IN (SELECT value FROM json_each(?)))`,
    JSON.stringify(seqs),
  );
  deleteJobs(tx, seqs);
  departures.write(tx);
  for (const key of [...new Set(doomed.map((job) => job.key))].sort())
    if (key !== null) admit(tx, queue, key);
  tx.topics.add('settled');
}
