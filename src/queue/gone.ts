import { LongshoreError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import { TERMINAL_STATES, type TerminalState } from '../core/job-state.ts';
import type { QueueRecord } from '../store/store.ts';

/** What is said to those who await a job that the store does not have. */
export function gone(id: string): LongshoreError {
  return new LongshoreError(
    'JOB_UNKNOWN',
    `There is no job ${id}: it was removed, its queue's retention had already deleted it when its result was asked for, or the transaction that enqueues it has not been committed.`,
    { details: { id } },
  );
}

/** A job that was there when it was awaited. */
export function notKept({ id, queue }: Job, queues: readonly QueueRecord[]): LongshoreError {
  const record = queues.find(({ name }) => name === queue);
  const dropped = TERMINAL_STATES.filter((state) => keepsNothing(record, state));
  if (dropped.length === 0) {
    const message = `Job ${id} was there when its result was asked for, and is gone: it was removed, or its queue's retention deleted it before its end was seen.`;
    return new LongshoreError('JOB_UNKNOWN', message, { details: { id, queue } });
  }
  const states = dropped.join(' or ');
  const message = `Job ${id} is gone: it ended or was removed, and queue '${queue}' keeps no ${states} jobs, and no worker that runs now told how it ended. Keep such jobs for a while: queues.setRetention('${queue}', { ${dropped[0]}: { ageMs: 60_000, count: null } }).`;
  return new LongshoreError('JOB_UNKNOWN', message, { details: { id, queue, keepsNothing: dropped } });
}

/** Asked for the job itself, where its result alone is known. */
export function endedUnkept(id: string, state: TerminalState): LongshoreError {
  const message = `Job ${id} ended (${state}), and its queue keeps no such jobs: result() says how it ended, the job itself is gone.`;
  return new LongshoreError('JOB_UNKNOWN', message, { details: { id, state } });
}

function keepsNothing(record: QueueRecord | undefined, state: TerminalState): boolean {
  const keep = record?.retention[state];
  return keep !== undefined && (keep.ageMs === 0 || keep.count === 0 || keep.bytes === 0);
}
