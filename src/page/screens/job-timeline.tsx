import type { Job } from '../data.ts';
import { exact, span } from '../words.ts';

/** What is kept of a job's states, in order: made, due, tried, acted on, ended. */
interface Moment {
  readonly at: number;
  readonly text: string;
  readonly tone: string;
}

export function JobTimeline({ job }: { job: Job }) {
  const moments = momentsOf(job);
  return (
    <ol class="timeline">
      {moments.map(({ at, text, tone }, index) => (
        <li key={`${at}-${index}`} class={`state-${tone}`}>
          <time dateTime={new Date(at).toISOString()}>{exact(at)}</time> <b>{text}</b>{' '}
          {index > 0 && <span class="faint">{span(at - (moments[index - 1]?.at ?? at))} later</span>}
        </li>
      ))}
    </ol>
  );
}

function momentsOf(job: Job): Moment[] {
  const moments: Moment[] = [{ at: job.createdAt, text: 'Enqueued', tone: 'ready' }];
  if (job.dueAt > job.createdAt && job.state === 'scheduled')
    moments.push({ at: job.dueAt, text: 'Due', tone: 'scheduled' });
  for (const { at, attempt, name } of job.errors)
    moments.push({ at, text: `Attempt ${attempt} failed: ${name}`, tone: 'failed' });
  for (const { at, by, action } of job.audit)
    moments.push({ at, text: `${action} by ${by}`, tone: 'scheduled' });
  if (job.startedAt !== null)
    moments.push({ at: job.startedAt, text: `Attempt ${job.attempt} started`, tone: 'running' });
  if (job.finishedAt !== null)
    moments.push({ at: job.finishedAt, text: `Ended: ${job.state}`, tone: job.state });
  return moments.sort((one, other) => one.at - other.at);
}
