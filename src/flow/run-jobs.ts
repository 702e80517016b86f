import { optionInvalid } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import { hasTerms } from '../core/terms.ts';
import type { JobFilter, JobPage } from '../store/store.ts';
import { requireId } from './run-options.ts';
import { type PartsMeans, runsWithin } from './run-parts.ts';
import { jobIdOf, runKey } from './run-plan.ts';
import { runGone } from './run-watch.ts';

/**
 * The jobs of a run's steps, and of the runs that are steps of it, in the order of the steps. They are found by their ids, which
 * follow from the run's value, so no index is kept and other jobs pay nothing. Rejects with RUN_UNKNOWN, OPTION_INVALID.
 */
export async function jobsOfRun(id: string, filter: JobFilter, means: PartsMeans): Promise<JobPage> {
  const plan = await means.store.plan(runKey(requireId(id)));
  if (plan === null) throw runGone(id);
  const { limit } = filter;
  const after = filter.cursor === undefined ? null : parseCursor(filter.cursor);
  const page: Job[] = [];
  let reached = after === null;
  let batch: Part[] = [];
  let last: Part | null = null;
  // Returns whether the page is full; `last` is then the last part that was looked at.
  const look = async (): Promise<boolean> => {
    const jobs = await means.store.get(batch.map(({ job }) => job));
    for (const [index, job] of jobs.entries()) {
      last = batch[index] as Part;
      if (job !== null && fits(job, filter)) page.push(job);
      if (page.length === limit) return true;
    }
    batch = [];
    return false;
  };
  for await (const { run, parts } of runsWithin(plan, means)) {
    for (const as of parts()) {
      if (!reached) reached = after?.run === run.id && after.as === as;
      else if (batch.push({ run: run.id, as, job: jobIdOf(run, as) }) === BATCH && (await look()))
        return { jobs: page, cursor: cursorOf(last as unknown as Part) };
    }
  }
  if (batch.length > 0 && (await look())) return { jobs: page, cursor: cursorOf(last as unknown as Part) };
  if (!reached) throw optionInvalid('cursor', filter.cursor, 'the cursor of the page before of this run');
  return { jobs: page, cursor: null };
}

const BATCH = 500;

interface Part {
  readonly run: string;
  readonly as: string;
  readonly job: string;
}

function fits(job: Job, { states, queue, task, ...terms }: JobFilter): boolean {
  return (
    (states === undefined || states.includes(job.state)) &&
    (queue === undefined || job.queue === queue) &&
    (task === undefined || job.task === task) &&
    hasTerms(job, terms)
  );
}

function cursorOf({ run, as }: Part): string {
  return Buffer.from(JSON.stringify([run, as])).toString('base64url');
}

/** Throws OPTION_INVALID. */
function parseCursor(text: string): Pick<Part, 'run' | 'as'> {
  try {
    const [run, as] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[];
    if (typeof run === 'string' && typeof as === 'string') return { run, as };
  } catch {
    // As any other text.
  }
  throw optionInvalid('cursor', text, 'the cursor of the page before');
}
