import { type Fingerprint, fingerprintOf } from '../core/fingerprint.ts';
import type { TerminalState } from '../core/job-state.ts';
import type { JobView } from '../queue/job-view.ts';
import type { Face } from './face.ts';

/** What became of the newest jobs that ended: as many as can be looked at in a moment, however many there are. */
export interface RecentFilter {
  readonly queue?: string | undefined;
  readonly task?: string | undefined;
}

const PAGE = 200;

/** The newest first. `more`: there are others. */
export async function newestJobs(
  longshore: Face,
  states: readonly TerminalState[],
  filter: RecentFilter & { readonly most: number; readonly cursor?: string | undefined },
): Promise<{ readonly jobs: readonly JobView[]; readonly cursor: string | null }> {
  const { queue, task, most } = filter;
  const jobs: JobView[] = [];
  let { cursor } = filter;
  for (;;) {
    const page = await longshore.jobs.list({
      state: states,
      limit: Math.min(PAGE, most - jobs.length),
      ...(queue === undefined ? {} : { queue }),
      ...(task === undefined ? {} : { task }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    jobs.push(...page.jobs);
    cursor = page.cursor ?? undefined;
    if (cursor === undefined || jobs.length >= most) return { jobs, cursor: cursor ?? null };
  }
}

/** A job that failed, with the error it failed by. */
export interface Failure extends Fingerprint {
  readonly job: JobView;
  readonly message: string;
}

export async function failuresOf(longshore: Face, jobs: readonly JobView[]): Promise<Failure[]> {
  const errors = await longshore.jobs.lastErrors(jobs.map(({ id }) => id));
  return jobs.map((job, index) => {
    const error = errors[index] ?? null;
    return { job, message: error?.message ?? '', ...fingerprintOf(job.task, error) };
  });
}
