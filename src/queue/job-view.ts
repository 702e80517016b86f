import type { AttemptError } from '../core/errors.ts';
import type { AuditEntry, Job } from '../core/job.ts';
import { inputOf, type PayloadCodec, type PayloadPlace } from '../core/payload.ts';
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

export function jobView(job: Job, codec: PayloadCodec): JobView {
  return {
    ...job,
    input: readable(job.input, inputOf(job), codec),
    result: readable(job.result, { role: 'result', id: job.id }, codec),
    progress: readable(job.progress, { role: 'progress', id: job.id }, codec),
  };
}

export function jobDetail(job: Job, trail: JobTrail, codec: PayloadCodec): JobDetail {
  const place = { role: 'log', id: job.id } as const;
  const logs = trail.logs.map((line) => ({ ...line, data: readable(line.data, place, codec) }));
  return { ...jobView(job, codec), errors: trail.errors, logs, audit: trail.audit };
}

function readable(text: string | null, place: PayloadPlace, codec: PayloadCodec): unknown {
  try {
    return codec.decode(text, place, 'a stored payload');
  } catch {
    return { corrupt: text };
  }
}
