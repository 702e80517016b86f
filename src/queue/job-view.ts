import type { AttemptError } from '../core/errors.ts';
import type { AuditEntry, Job } from '../core/job.ts';
import type { PayloadCodec } from '../core/payload.ts';
import { keyGiven } from '../core/unique.ts';
import type { JobTrail } from '../store/store.ts';

/** A job as people and programs read it: payloads decoded. A payload that cannot be read is shown as `{ corrupt: text }`. */
export interface JobView extends Omit<Job, 'input' | 'result' | 'progress'> {
  readonly input: unknown;
  readonly result: unknown;
  readonly progress: unknown;
  /** As it was given, or the digest of the input; its scope aside. */
  readonly uniqueKey: string | null;
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

export function jobView(job: Job, codec: PayloadCodec): JobView {
  return {
    ...job,
    input: readable(job.input, codec),
    result: readable(job.result, codec),
    progress: readable(job.progress, codec),
    uniqueKey: job.uniqueKey === null ? null : keyGiven(job.uniqueKey),
  };
}

export function jobDetail(job: Job, trail: JobTrail, codec: PayloadCodec): JobDetail {
  const logs = trail.logs.map((line) => ({ ...line, data: readable(line.data, codec) }));
  return { ...jobView(job, codec), errors: trail.errors, logs, audit: trail.audit };
}

function readable(text: string | null, codec: PayloadCodec): unknown {
  try {
    return codec.decode(text, 'a stored payload');
  } catch {
    return { corrupt: text };
  }
}
