import { optionInvalid, requireInteger, requireName } from '../core/errors.ts';
import { JOB_STATES, type JobState } from '../core/job-state.ts';
import { TAG_CHARS_MAX } from '../core/meta.ts';
import { knownNames, requireKnown } from '../core/options.ts';
import { requireQueue } from '../core/task.ts';
import type { JobFilter } from '../store/store.ts';
import { requireState } from './selection.ts';

/** Which jobs `longshore.jobs.list` gives. */
export interface ListOptions {
  readonly state?: JobState | readonly JobState[];
  readonly queue?: string;
  readonly task?: string;
  /** Jobs with this correlation id in their meta; and the job of this id, which is the one that its children inherited. */
  readonly correlationId?: string;
  /** Jobs with this tag in their meta. */
  readonly tag?: string;
  /** Jobs of the steps of this run, and of the runs that are steps of it, in the order of the steps. */
  readonly run?: string;
  /** 1 to 1,000; default 50. */
  readonly limit?: number;
  /** From the page before. */
  readonly cursor?: string;
}

const LIST_OPTIONS = knownNames<ListOptions>({
  state: true,
  queue: true,
  task: true,
  correlationId: true,
  tag: true,
  run: true,
  limit: true,
  cursor: true,
});

/** Throws OPTION_INVALID. */
export function filterOf(options: ListOptions): JobFilter {
  requireKnown('jobs.list', options, LIST_OPTIONS);
  const { state, queue, task, correlationId, tag, cursor, limit = 50 } = options;
  const states = state === undefined ? undefined : typeof state === 'string' ? [state] : state;
  if (states !== undefined && !Array.isArray(states))
    throw optionInvalid('state', state, `one of ${JOB_STATES.join(', ')}, or an array of them`);
  for (const name of states ?? []) requireState('state', name);
  if (cursor !== undefined && typeof cursor !== 'string')
    throw optionInvalid('cursor', cursor, 'the cursor of the page before');
  return {
    limit: requireInteger('limit', limit, 1, 1_000),
    ...(states === undefined ? {} : { states }),
    ...(queue === undefined ? {} : { queue: requireQueue('queue', queue) }),
    ...(task === undefined ? {} : { task: requireName('task', task) }),
    ...(correlationId === undefined ? {} : { correlationId: requireName('correlationId', correlationId) }),
    ...(tag === undefined ? {} : { tag: requireName('tag', tag, TAG_CHARS_MAX) }),
    ...(cursor === undefined ? {} : { cursor }),
  };
}
