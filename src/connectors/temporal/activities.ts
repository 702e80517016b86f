import { Context, type Info } from '@temporalio/activity';
import { LongshoreError } from '../../core/errors.ts';
import type { AnyTask } from '../../core/task.ts';
import type { Runner, Work } from '../../engine/runner.ts';
import { startBeats } from './beats.ts';
import { resultOf, unknownActivity } from './failures.ts';
import type { PollPermits } from './slots.ts';

/** Tasks as the functions that the SDK calls: each hands its activity to the runner, and beats until that has ended. */
export interface ActivityMeans {
  readonly runner: Runner;
  readonly heartbeatMs: number;
  readonly began: PollPermits['began'];
  readonly ended: PollPermits['ended'];
  /** An activity came that no task is for. */
  readonly onUnknown: (failure: Error) => void;
}

type Activity = (...args: unknown[]) => Promise<unknown>;

export function activityFunctions(
  tasks: ReadonlyMap<string, AnyTask>,
  means: ActivityMeans,
): Record<string, Activity> {
  const unknown: Activity = async () => {
    const failure = unknownActivity(Context.current().info.activityType, [...tasks.keys()]);
    means.onUnknown(failure);
    throw failure;
  };
  const own = [...tasks].map(([name, task]): [string, Activity] => [
    name,
    (...args) => runActivity(task, args, means),
  ]);
  // The SDK calls `default` for what has no function of its own.
  return { default: unknown, ...Object.fromEntries(own) };
}

async function runActivity(task: AnyTask, args: readonly unknown[], means: ActivityMeans): Promise<unknown> {
  const context = Context.current();
  const beats = startBeats(context, means.heartbeatMs);
  const work = workOf(context, task, args);
  const kind = context.info.isLocal ? 'localActivities' : 'activities';
  means.began(kind);
  try {
    return resultOf(await means.runner.run({ ...work, onProgress: beats.tell }), work);
  } finally {
    beats.end();
    means.ended(kind);
  }
}

function workOf(context: Context, task: AnyTask, args: readonly unknown[]): Work {
  const { info } = context;
  const { attempt, taskQueue, retryPolicy, workflowExecution, currentAttemptScheduledTimestampMs } = info;
  const { runId = info.activityRunId, workflowId = info.activityId } = workflowExecution ?? {};
  return {
    task: task.name,
    id: `${runId}/${info.activityId}`,
    queue: taskQueue,
    input: inputOf(args),
    attempt,
    attemptsMax: retryPolicy?.maximumAttempts || undefined,
    timeoutMs: timeoutOf(info, task),
    correlationId: workflowId.slice(0, CORRELATION_CHARS_MAX),
    enqueuedAt: currentAttemptScheduledTimestampMs || undefined,
    lastProgress: info.heartbeatDetails ?? undefined,
    signal: stopSignal(context),
    onLog: ({ message, data }) => context.log.info(message, data === undefined ? {} : { data }),
  };
}

const CORRELATION_CHARS_MAX = 200;

/** A task has one input: the only argument, or all of them as a list where there are several. */
function inputOf(args: readonly unknown[]): unknown {
  return args.length > 1 ? args : args[0];
}

/** The shortest of what Temporal allows from now on and what the task says. */
function timeoutOf(info: Info, task: AnyTask): number | undefined {
  const { startToCloseTimeoutMs, scheduleToCloseTimeoutMs, scheduledTimestampMs } = info;
  // By the server's clock alone.
  const passedMs = Math.max(0, info.currentAttemptScheduledTimestampMs - scheduledTimestampMs);
  const untilClose = scheduleToCloseTimeoutMs > 0 ? Math.max(1, scheduleToCloseTimeoutMs - passedMs) : 0;
  const limits = [startToCloseTimeoutMs, untilClose, task.timeoutMs ?? 0].filter((ms) => ms > 0);
  return limits.length === 0 ? undefined : Math.max(1, Math.round(Math.min(...limits)));
}

/** The SDK's signal, with a reason that handlers know. */
function stopSignal(context: Context): AbortSignal {
  const stop = new AbortController();
  const abort = (): void => stop.abort(stopReason(context));
  if (context.cancellationSignal.aborted) abort();
  else context.cancellationSignal.addEventListener('abort', abort, { once: true });
  return stop.signal;
}

function stopReason({ cancellationDetails: why, info }: Context): LongshoreError {
  const what = `activity ${info.activityType}`;
  if (why?.notFound)
    return new LongshoreError('LEASE_LOST', `Temporal no longer waits for this attempt of ${what}.`);
  if (why?.timedOut) return new LongshoreError('JOB_TIMED_OUT', `Temporal's time for ${what} is over.`);
  if (why?.workerShutdown) return new LongshoreError('WORKER_STOPPING', 'The worker is being stopped.');
  const by = why?.paused ? 'paused' : why?.reset ? 'reset' : 'cancelled';
  return new LongshoreError('JOB_CANCELLED', `Temporal ${by} ${what}.`, { details: { by } });
}
