import { LongshoreError, show } from '../core/errors.ts';
import type { JobContext } from '../core/job-context.ts';
import { decodePayload, encodePayload } from '../core/payload.ts';
import { validate } from '../core/schema.ts';
import type { AnyTask } from '../core/task.ts';
import { runAs } from '../current-job.ts';
import { type LaneJob, UnfitJob } from './lane.ts';

/**
 * From input text to result text, in whatever thread the handler runs. Returns a promise only where the schema or the
 * handler is asynchronous: most jobs of the inline lane end in the turn they start in.
 */
export function runHandler(task: AnyTask, job: HandlerJob): string | null | Promise<string | null> {
  const checked = checkInput(task, decodeInput(job));
  return checked instanceof Promise
    ? checked.then((input) => runChecked(task, job, input))
    : runChecked(task, job, checked);
}

/** As much of a job as its handler's surroundings need. */
export type HandlerJob = Pick<
  LaneJob,
  'id' | 'meta' | 'within' | 'input' | 'payloadBytesMax' | 'abortReason' | 'context'
>;

function runChecked(task: AnyTask, job: HandlerJob, input: unknown): string | null | Promise<string | null> {
  // An asynchronous schema may take so long that the attempt is over, and its slot another's.
  if (job.abortReason !== null) throw job.abortReason;
  const { within } = job;
  const run = (context: JobContext<unknown>): unknown =>
    within === null ? task.run(context) : within(() => task.run(context));
  const returned = runAs(job, run, job.context(input));
  return isThenable(returned)
    ? Promise.resolve(returned).then((result) => encodeResult(task, job, result))
    : encodeResult(task, job, returned);
}

function decodeInput({ id, input }: HandlerJob): unknown {
  try {
    return decodePayload(input, `the stored input of job ${id}`);
  } catch (error) {
    throw unfit(error);
  }
}

/** The schema's output; a promise only where the schema is asynchronous. */
function checkInput(task: AnyTask, input: unknown): unknown {
  if (task.schema === null) return input;
  const what = `the stored input of task ${show(task.name)}`;
  try {
    const checked = validate(task.schema, input, what);
    return checked instanceof Promise ? checked.catch((error) => Promise.reject(unfit(error))) : checked;
  } catch (error) {
    throw unfit(error);
  }
}

function encodeResult(task: AnyTask, { payloadBytesMax }: HandlerJob, result: unknown): string | null {
  if (result === undefined) return null;
  try {
    return encodePayload(result, `the result of task ${show(task.name)}`, payloadBytesMax);
  } catch (error) {
    throw unfit(error);
  }
}

/** An unknown key is a matter of deployment, not of the job: it may be tried again. */
export function unfit(error: unknown): unknown {
  return error instanceof LongshoreError && !error.retryable ? new UnfitJob(error) : error;
}

export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}
