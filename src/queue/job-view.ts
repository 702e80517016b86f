import type { AttemptError } from '../core/errors.ts';
import type { AuditEntry, Job } from '../core/job.ts';
import type { PayloadCodec } from '../core/payload.ts';
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

/** A job with what happened to it, oldest first: the first 10 and the last 90 errors, the last 1,000 log lines. */
export interface JobDetail extends JobView {
  readonly errors: readonly AttemptError[];
  /** Left out between the first 10 errors and the last 90. */
  readonly errorsOmitted: number;
  readonly logs: readonly LogView[];
  /** Left out before the first of `logs`. */
  readonly logsOmitted: number;
  readonly audit: readonly AuditEntry[];
}

export function jobView(job: Job, codec: PayloadCodec): JobView {
  return {
    ...job,
    input: readable(job.input, codec),
    result: readable(job.result, codec),
    progress: readable(job.progress, codec),
  };
}

export function jobDetail(job: Job, trail: JobTrail, codec: PayloadCodec): JobDetail {
  const logs = trail.logs.map((line) => ({ ...line, data: readable(line.data, codec) }));
  return { ...jobView(job, codec), ...trail, logs };
}

function readable(text: string | null, codec: PayloadCodec): unknown {
  try {
    return codec.decode(text, 'a stored payload');
  } catch {
    return { corrupt: text };
  }
}
