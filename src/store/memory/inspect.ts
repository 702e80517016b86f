import { optionInvalid } from '../../core/errors.ts';
import type { Job } from '../../core/job.ts';
import { hasTerms } from '../../core/terms.ts';
import type { JobFilter, JobPage, JobTrail, QueueRecord, QueueSettings } from '../store.ts';
import { type JobRow, type QueueRow, toJob } from './records.ts';
import type { Rows } from './rows.ts';

/** What is there to see. Everything handed out is a copy. */
export function get(rows: Rows, ids: readonly string[]): (Job | null)[] {
  return ids.map((id) => {
    const job = rows.jobs.get(id);
    return job === undefined ? null : toJob(job);
  });
}

export function list(rows: Rows, filter: JobFilter): JobPage {
  const jobs: Job[] = [];
  const root = filter.correlationId === undefined ? undefined : rows.jobs.get(filter.correlationId);
  const bySeq = rows.terms.among(filter, root) ?? rows.bySeq;
  for (let at = startOf(bySeq, filter.cursor); at >= 0; at -= 1) {
    const job = bySeq[at] as JobRow;
    if (job.gone || !matches(job, filter)) continue;
    if (jobs.length >= filter.limit) return { jobs, cursor: String(jobs.at(-1)?.seq ?? job.seq + 1) };
    jobs.push(toJob(job));
  }
  return { jobs, cursor: null };
}

function matches(job: JobRow, filter: JobFilter): boolean {
  const { states, queue, task } = filter;
  return (
    (states === undefined || states.includes(job.state)) &&
    (queue === undefined || queue === job.queue) &&
    (task === undefined || task === job.task) &&
    hasTerms(job, filter)
  );
}

/** Index of the last job with a seq below the cursor's. */
function startOf(bySeq: readonly JobRow[], cursor: string | undefined): number {
  if (cursor === undefined) return bySeq.length - 1;
  if (!/^\d{1,15}$/.test(cursor)) throw optionInvalid('cursor', cursor, 'the cursor of an earlier page');
  const seq = Number(cursor);
  let [low, high] = [0, bySeq.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bySeq[middle] as JobRow).seq < seq) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export function trail(rows: Rows, id: string): JobTrail | null {
  const job = rows.jobs.get(id);
  if (job === undefined) return null;
  const { errors, errorsOmitted, logs, logsOmitted, audit } = job;
  return structuredClone({ errors, errorsOmitted, logs, logsOmitted, audit });
}

export function queues(rows: Rows, now: number): QueueRecord[] {
  return [...rows.queues.values()]
    .filter((queue) => queue.configured || Object.values(queue.counts).some((count) => count > 0))
    .map((queue) => ({
      ...settingsOf(queue),
      counts: { ...queue.counts },
      oldestReadyMs: oldestReadyMs(queue, now),
    }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

function oldestReadyMs({ ready }: QueueRow, now: number): number | null {
  let dueAt = Number.POSITIVE_INFINITY;
  for (const job of ready.members()) dueAt = Math.min(dueAt, job.dueAt);
  return dueAt === Number.POSITIVE_INFINITY ? null : Math.max(0, now - dueAt);
}

export function settingsOf(queue: QueueRow): QueueSettings {
  return {
    name: queue.name,
    pausedAt: queue.pausedAt,
    retention: structuredClone(queue.retention),
    limits: structuredClone(queue.limits),
    ageing: queue.ageing && { everyMs: queue.ageing.everyMs, floor: queue.ageing.floor },
  };
}
