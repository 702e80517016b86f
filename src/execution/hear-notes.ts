import type { LaneJob } from './lane.ts';
import type { AskMessage } from './protocol.ts';
import { TRANSACTION_ASKS } from './transaction-port.ts';

/** What handlers in hosts say while they run, passed on to the worker as if they ran here. */

/** What a handler asked for. */
export function answerTo(
  job: LaneJob,
  verb: AskMessage['verb'],
  given: AskMessage['given'],
): Promise<unknown> {
  if (verb === 'lastProgress') return job.context(undefined).lastProgress();
  const port: object = verb in TRANSACTION_ASKS ? job.transactionPort : job.durablePort;
  const ask = Reflect.get(port, verb) as (...values: readonly unknown[]) => Promise<unknown>;
  return ask.apply(port, [...given]);
}

/** Absent progress is unchanged. */
export function hearAlive(job: LaneJob, progress: string | null | undefined): void {
  note(() => {
    const context = job.context(undefined);
    if (progress === undefined) context.heartbeat();
    else context.progress(parsed(progress));
  });
}

export function hearLog(job: LaneJob, message: string, data: string | null): void {
  note(() => job.context(undefined).log(message, parsed(data)));
}

/** What was good in the host is good here; a store that is away costs notes, never jobs. */
function note(write: () => void): void {
  try {
    write();
  } catch {
    // The limits were checked in the host, and the handler has gone on.
  }
}

function parsed(text: string | null): unknown {
  return text === null ? undefined : JSON.parse(text);
}
