import type { AttemptError } from '../core/errors.ts';
import type { AuditEntry, Job } from '../core/job.ts';
import { decodePayload } from '../core/payload.ts';
import type { JobTrail } from '../store/store.ts';

/** A job as people and programs read it: payloads decoded. A payload that cannot be read is shown as `{ corrupt: text }`. */
export interface JobView extends Omit<Job, 'input' | 'result' | 'progress'> {
  readonly input: unknown;
  readonly result: unknown;
  readonly progress: unknown;
}

export interface LogView {
  readonly at: number;
  readonly attempt: number;
  readonly message: string;
  readonly data: unknown;
}

/** A job with all that happened to it, oldest first. */
export interface JobDetail extends JobView {
  readonly errors: readonly AttemptError[];
  readonly logs: readonly LogView[];
  readonly audit: readonly AuditEntry[];
}

export function jobView(job: Job): JobView {
  return {
    ...job,
    input: readable(job.input),
    result: readable(job.result),
    progress: readable(job.progress),
  };
}

export function jobDetail(job: Job, trail: JobTrail): JobDetail {
  const logs = trail.logs.map((line) => ({ ...line, data: readable(line.data) }));
  return { ...jobView(job), errors: trail.errors, logs, audit: trail.audit };
}

function readable(text: string | null): unknown {
  try {
    return decodePayload(text, 'a stored payload');
  } catch {
    return { corrupt: text };
  }
}
