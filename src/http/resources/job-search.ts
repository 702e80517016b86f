import type { JobState } from '../../core/job-state.ts';
import type { JobView } from '../../queue/job-view.ts';
import type { ListOptions } from '../../queue/list-options.ts';
import type { Face } from '../face.ts';
import { jobItem, jobSummary } from './job-view.ts';

/**
 * Search by what stores have indexes for, and by what they have not: then as many jobs are looked at as a request may cost,
 * and the cursor goes on from there, so that any search comes to its end.
 */
export interface JobSearch {
  readonly id?: readonly string[];
  readonly state?: readonly JobState[];
  readonly queue?: string;
  readonly task?: string;
  readonly correlationId?: string;
  readonly tag?: string;
  readonly run?: string;
  readonly key?: string;
  readonly createdAfter?: number;
  readonly createdBefore?: number;
  readonly payloads?: boolean;
  readonly limit: number;
  readonly cursor?: string;
}

/** Reads of the store in one request, each of as many jobs as the page has room for. */
const READS_MAX = 20;

export async function searchJobs(
  longshore: Face,
  search: JobSearch,
): Promise<{ readonly jobs: readonly object[]; readonly cursor: string | null }> {
  const show = search.payloads === true ? jobItem : jobSummary;
  if (search.id !== undefined) {
    const found = await Promise.all([...new Set(search.id)].map((id) => longshore.jobs.get(id)));
    return { jobs: found.flatMap((job) => (job === null ? [] : [show(job)])), cursor: null };
  }
  const found: JobView[] = [];
  let { cursor } = search;
  for (let reads = 1; ; reads += 1) {
    const room = search.limit - found.length;
    const page = await longshore.jobs.list({ ...criteriaOf(search, cursor), limit: room });
    found.push(...page.jobs.filter((job) => matches(job, search)));
    cursor = page.cursor ?? undefined;
    const isEnd = cursor === undefined || isPast(page.jobs.at(-1), search);
    // A page that is more than half full is worth sending; reads for what is left of it would get smaller and smaller.
    if (isEnd || reads === READS_MAX || found.length * 2 > search.limit)
      return { jobs: found.map(show), cursor: isEnd ? null : (cursor ?? null) };
  }
}

function criteriaOf(search: JobSearch, cursor: string | undefined): ListOptions {
  const { state, queue, task, correlationId, tag, run } = search;
  return {
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(tag === undefined ? {} : { tag }),
    ...(run === undefined ? {} : { run }),
    ...(state === undefined ? {} : { state }),
    ...(queue === undefined ? {} : { queue }),
    ...(task === undefined ? {} : { task }),
    ...(cursor === undefined ? {} : { cursor }),
  };
}

function matches(job: JobView, search: JobSearch): boolean {
  const { key, createdAfter, createdBefore } = search;
  return (
    (key === undefined || job.key === key) &&
    (createdAfter === undefined || job.createdAt >= createdAfter) &&
    (createdBefore === undefined || job.createdAt < createdBefore)
  );
}

/** The newest come first, other than jobs of a run, by the store's clock or two that differ a little. */
const CLOCKS_DIFFER_MS = 60_000;

function isPast(last: JobView | undefined, { createdAfter, run }: JobSearch): boolean {
  if (last === undefined || createdAfter === undefined || run !== undefined) return false;
  return last.createdAt < createdAfter - CLOCKS_DIFFER_MS;
}
