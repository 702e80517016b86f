import { formatDuration } from '../core/duration.ts';
import type { JobState } from '../core/job-state.ts';
import type { JobView } from '../queue/job-view.ts';
import type { Format } from '../telemetry/terminal.ts';
import type { Column } from './table.ts';
import { absoluteTime, relativeTime } from './text.ts';

/** How a job looks in a list. */
export function jobColumns(now: number): Column<JobView>[] {
  return [
    { title: 'ID', value: (job) => job.id },
    { title: 'STATE', value: stateText, format: (job) => STATE_FORMATS[job.state] },
    { title: 'TASK', value: (job) => job.task, flexible: true },
    { title: 'QUEUE', value: (job) => job.queue, flexible: true, optional: 2 },
    { title: 'KEY', value: (job) => job.key ?? '', flexible: true, optional: 2 },
    { title: 'PRIO', value: (job) => String(job.priority), align: 'right', optional: 3 },
    { title: 'TRIES', value: (job) => `${job.attempt}/${job.attemptsMax}`, align: 'right', optional: 1 },
    { title: 'WHEN', value: (job) => when(job, now) },
    { title: 'CREATED', value: (job) => absoluteTime(job.createdAt), optional: 4 },
    {
      title: 'INPUT',
      value: (job) => (job.input === undefined ? '' : JSON.stringify(job.input)),
      flexible: true,
      optional: 5,
    },
  ];
}

export const STATE_FORMATS: Readonly<Record<JobState, Format>> = {
  scheduled: 'cyan',
  ready: 'blue',
  running: 'yellow',
  completed: 'green',
  failed: 'red',
  cancelled: 'gray',
};

export function stateText(job: Pick<JobView, 'state' | 'cancelRequested' | 'held'>): string {
  if (job.held) return 'ready (held)';
  return job.state === 'running' && job.cancelRequested ? 'running (cancelling)' : job.state;
}

/** The time that matters in the job's state: due, waiting since, running for, ended. */
function when(job: JobView, now: number): string {
  if (job.state === 'running') return `for ${formatDuration(Math.max(0, now - (job.startedAt ?? now)))}`;
  return relativeTime(job.finishedAt ?? job.dueAt, now);
}
