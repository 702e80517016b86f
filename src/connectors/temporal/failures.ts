import { ApplicationFailure, CancelledFailure, CompleteAsyncError } from '@temporalio/activity';
import { intentOf, LongshoreError, show } from '../../core/errors.ts';
import { isError, memberOf, messageOf, nameOf } from '../../core/legible.ts';
import { nearest } from '../../core/options.ts';
import type { Ended, Work } from '../../engine/runner.ts';

/** What Temporal is told of work that has ended: the activity's result, or a failure to throw. */
export function resultOf(ended: Ended, work: Pick<Work, 'attempt' | 'attemptsMax'>): unknown {
  if (ended.state === 'completed') return ended.result;
  if (ended.state === 'failed') throw failureOf(ended, work);
  if (ended.state === 'snoozed')
    throw ApplicationFailure.create({
      message: `The handler asked to run again in ${ended.delayMs} ms.`,
      type: 'Snoozed',
      nextRetryDelay: Math.max(1, ended.delayMs),
      category: 'BENIGN',
    });
  if (ended.state === 'released')
    throw ApplicationFailure.create({
      message: 'The worker stops; another one may take this activity over.',
      type: 'WORKER_STOPPING',
      nextRetryDelay: 1,
      category: 'BENIGN',
    });
  throw new CancelledFailure('The activity was stopped.');
}

/** At the last attempt it is Temporal that says that there are no more. */
function failureOf(
  { error, retry, retryInMs }: Ended & { state: 'failed' },
  { attempt, attemptsMax }: Pick<Work, 'attempt' | 'attemptsMax'>,
): Error {
  const name = nameOf(error);
  if (name === 'CompleteAsyncError') return new CompleteAsyncError();
  const isLast = attemptsMax !== undefined && attempt >= attemptsMax;
  const own = name === 'ApplicationFailure' ? ownFacts(error) : factsOf(error);
  const failure = ApplicationFailure.create({
    message: messageOf(error),
    nonRetryable: !retry && !isLast,
    ...(intentOf(error) === 'retryAfter' && retryInMs !== undefined
      ? { nextRetryDelay: Math.max(1, retryInMs) }
      : {}),
    ...own,
    ...causeOf(error),
  });
  const stack = memberOf(error, 'stack');
  if (typeof stack === 'string') failure.stack = stack;
  return failure;
}

interface Facts {
  readonly type: string;
  readonly nonRetryable?: boolean;
  readonly details?: unknown[];
}

/** `type` is what retry policies name in `nonRetryableErrorTypes`: the code of Longshore's errors, the name of others. */
function factsOf(error: Error): Facts {
  if (error instanceof LongshoreError) return { type: error.code, details: [error.details] };
  return { type: nameOf(error) };
}

/** A handler may throw the failure of Temporal's SDK, also in a thread, from where its properties come alone. */
function ownFacts(error: Error): Facts {
  const type = memberOf(error, 'type');
  const details = memberOf(error, 'details');
  return {
    type: typeof type === 'string' ? type : 'Error',
    ...(memberOf(error, 'nonRetryable') === true ? { nonRetryable: true } : {}),
    ...(Array.isArray(details) ? { details } : {}),
  };
}

function causeOf(error: Error): { cause?: Error } {
  const cause = memberOf(error, 'cause');
  return isError(cause) ? { cause } : {};
}

/** Retryable, since another worker of the task queue may have the activity, or this one after it was deployed anew. */
export function unknownActivity(name: string, known: readonly string[]): ApplicationFailure {
  const meant = nearest(name, known);
  const said = meant === null ? '' : ` Did you mean ${show(meant)}?`;
  return ApplicationFailure.create({
    message: `No task here for activity ${show(name)}.${said} This worker has ${known.join(', ') || 'none'}: add it to the option activities, or give such activities a task queue of their own.`,
    type: 'TASK_UNKNOWN',
  });
}
