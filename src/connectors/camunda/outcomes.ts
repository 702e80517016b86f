import type { AnyTask } from '../../core/task.ts';
import { bpmnErrorOf } from '../../engine/bpmn-error.ts';
import type { Ended } from '../../engine/runner.ts';
import type { CamundaJob } from './job.ts';
import type { JobType } from './options.ts';
import type { Report } from './reports.ts';
import { variablesOf } from './variables.ts';

/** From an attempt to what the cluster is told, and from the cluster's retries to attempts. */

/**
 * The process model says how often a job may fail (`retries`), and the cluster counts down. The task's `attempts` are the scale of
 * what its handler and its backoff see: a job with as many retries is at its first attempt.
 */
export function attemptOf(
  { retries }: CamundaJob,
  { attempts }: AnyTask,
): { readonly attempt: number; readonly attemptsMax: number } {
  const left = Math.max(1, retries);
  const attempt = Math.max(1, attempts - left + 1);
  return { attempt, attemptsMax: attempt + left - 1 };
}

/** Null: the cluster is told nothing. */
export function reportOf(ended: Ended, job: CamundaJob, jobType: JobType, worker: string): Report | null {
  switch (ended.state) {
    case 'completed':
      return { kind: 'completion', variables: variablesOf(ended.result, jobType.into) };
    case 'failed':
      return failureOf(ended, job);
    case 'snoozed':
      return uncharged(job, 'Asked to run later.', ended.delayMs);
    case 'released':
      return uncharged(job, `Handed back: the worker ${worker} stops.`, 0);
    default:
      return null;
  }
}

function failureOf(ended: Extract<Ended, { state: 'failed' }>, job: CamundaJob): Report {
  const { error, retry, retryInMs = 0 } = ended;
  const bpmn = bpmnErrorOf(error);
  if (bpmn !== null) {
    const { errorCode, message, variables } = bpmn;
    return { kind: 'error', errorCode, errorMessage: textOf(message), variables };
  }
  return {
    kind: 'failure',
    retries: retry ? Math.max(0, job.retries - 1) : 0,
    errorMessage: textOf(error.stack ?? error.message),
    retryBackOff: retry ? Math.round(retryInMs) : 0,
  };
}

/** A failure that uses no retry: the cluster gives the job out again at once, or after `delayMs`. */
function uncharged(job: CamundaJob, errorMessage: string, delayMs: number): Report {
  return {
    kind: 'failure',
    retries: Math.max(1, job.retries),
    errorMessage,
    retryBackOff: Math.round(delayMs),
  };
}

/** As long as people read. */
function textOf(text: string): string {
  return text.slice(0, TEXT_CHARS_MAX);
}

const TEXT_CHARS_MAX = 10_000;
