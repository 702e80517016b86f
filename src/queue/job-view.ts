import { type AttemptError, optionInvalid, show } from '../core/errors.ts';
import type { AuditEntry, Job } from '../core/job.ts';
import type { Jsonified } from '../core/jsonified.ts';
import { decodeMeta, type KeptMeta, NO_META } from '../core/meta.ts';
import { inputOf, type PayloadCodec, type PayloadPlace } from '../core/payload.ts';
import type { AnyDeclaration, TaskGiven } from '../core/task.ts';
import { keyGiven } from '../core/unique.ts';
import type { PlanRecord } from '../store/plans.ts';
import type { JobTrail } from '../store/store.ts';
import type { ResultOf } from './enqueue.ts';
import { type JobStepView, jobStepsView } from './job-steps-view.ts';

/** A job as people and programs read it: payloads decoded. A payload that cannot be read is shown as `{ corrupt: text }`. */
export interface JobView<Input = unknown, Result = unknown>
  extends Omit<Job, 'input' | 'result' | 'progress' | 'meta'> {
  readonly input: Input;
  readonly result: Result;
  readonly progress: unknown;
  /** Null for a job without any; what cannot be read is in `corrupt`. */
  readonly meta: (KeptMeta & { readonly corrupt?: string }) | null;
  /** As it was given, or the digest of the input; its scope aside. */
  readonly uniqueKey: string | null;
}

export interface LogView {
  readonly at: number;
  readonly attempt: number;
  readonly message: string;
  readonly data: unknown;
}

/** A job with what happened to it, oldest first: the first 10 and the last 90 errors, the last 1,000 log lines. */
export interface JobDetail<Input = unknown, Result = unknown> extends JobView<Input, Result> {
  readonly errors: readonly AttemptError[];
  /** Left out between the first 10 errors and the last 90. */
  readonly errorsOmitted: number;
  readonly logs: readonly LogView[];
  /** Left out before the first of `logs`. */
  readonly logsOmitted: number;
  readonly audit: readonly AuditEntry[];
  /** Of a job that has not completed: the durable steps that its handler has kept, and what it waits for. */
  readonly steps: readonly JobStepView[];
}

/** A job of a task: the input as JSON made it, before the schema. */
export type TypedDetail<T extends AnyDeclaration> = JobDetail<
  Jsonified<TaskGiven<T>>,
  ResultOf<T> | undefined
>;

export function jobView(job: Job, codec: PayloadCodec): JobView {
  return {
    ...job,
    input: readable(job.input, inputOf(job), codec),
    result: readable(job.result, resultOf(job), codec),
    progress: readable(job.progress, { role: 'progress', id: job.id }, codec),
    meta: readableMeta(job),
    uniqueKey: job.uniqueKey === null ? null : keyGiven(job.uniqueKey),
  };
}

function readableMeta({ meta, id }: Job): JobView['meta'] {
  if (meta === null) return null;
  try {
    return decodeMeta(meta, id);
  } catch {
    return { ...NO_META, corrupt: meta };
  }
}

/** What is stored of a job. */
export interface StoredJob {
  readonly job: Job;
  readonly trail: JobTrail;
  /** Its durable steps. */
  readonly plan: PlanRecord | null;
}

export function jobDetail({ job, trail, plan }: StoredJob, codec: PayloadCodec): JobDetail {
  const place = { role: 'log', id: job.id } as const;
  const logs = trail.logs.map((line) => ({ ...line, data: readable(line.data, place, codec) }));
  const steps = jobStepsView(plan, job, (text, at) => readable(text, at, codec));
  return { ...jobView(job, codec), ...trail, logs, steps };
}

/** Throws OPTION_INVALID for a job of another task, KEY_UNKNOWN, PAYLOAD_PLAIN, PAYLOAD_CORRUPT. */
export function typedDetail(task: AnyDeclaration, stored: StoredJob, codec: PayloadCodec): JobDetail {
  const { job } = stored;
  if (job.task !== task.name)
    throw optionInvalid('task', task.name, `${show(job.task)}, the task of job ${job.id}`);
  return {
    ...jobDetail(stored, codec),
    input: codec.decode(job.input, inputOf(job), `the input of job ${job.id}`),
    result: codec.decode(job.result, resultOf(job), `the result of job ${job.id}`),
  };
}

function resultOf({ id }: Job): PayloadPlace {
  return { role: 'result', id };
}

function readable(text: string | null, place: PayloadPlace, codec: PayloadCodec): unknown {
  try {
    return codec.decode(text, place, 'a stored payload');
  } catch {
    return { corrupt: text };
  }
}
