import { JOB_STATES, type JobState } from '../core/job-state.ts';
import type { Store } from '../store/store.ts';

/** Which jobs `jobs.counts` counts. */
export interface CountOptions {
  readonly queue?: string;
  readonly task?: string;
}

const PAGE = 1_000;

/** Jobs by their state. Stores count them by queue; those of a task are gone through. */
export async function countJobs(store: Store, of: CountOptions): Promise<Record<JobState, number>> {
  const counts = Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Record<JobState, number>;
  if (of.task === undefined) {
    for (const queue of await store.queues())
      if (of.queue === undefined || of.queue === queue.name)
        for (const state of JOB_STATES) counts[state] += queue.counts[state];
    return counts;
  }
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await store.list({ ...of, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    for (const { state } of page.jobs) counts[state] += 1;
    cursor = page.cursor;
  }
  return counts;
}
