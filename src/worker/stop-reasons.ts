import { LongshoreError } from '../core/errors.ts';
import type { Lease } from '../store/store.ts';

/** Why a running attempt is asked to stop: the reason of its signal, which also decides its outcome (steps.ts). */

export function cancelled({ id }: Lease): LongshoreError {
  return new LongshoreError('JOB_CANCELLED', `Job ${id} was cancelled.`, { details: { id } });
}

export function leaseLost({ id }: Lease): LongshoreError {
  const message = `The lease on job ${id} was lost; another worker may run it now, and this outcome will not count.`;
  return new LongshoreError('LEASE_LOST', message, { details: { id } });
}

export function timedOut(lease: Lease, timeoutMs: number): LongshoreError {
  const message = `${which(lease)} ran longer than its timeout of ${timeoutMs} ms.`;
  return new LongshoreError('JOB_TIMED_OUT', message, { details: { id: lease.id, timeoutMs } });
}

export function heartbeatMissed(lease: Lease, heartbeatTimeoutMs: number): LongshoreError {
  const message = `${which(lease)} gave no sign of life for its heartbeat timeout of ${heartbeatTimeoutMs} ms. It hangs, or has to call heartbeat() more often.`;
  return new LongshoreError('JOB_HEARTBEAT_MISSED', message, {
    details: { id: lease.id, heartbeatTimeoutMs },
  });
}

function which({ id, task, attempt }: Lease): string {
  return `Attempt ${attempt} of job ${id} (task '${task}')`;
}

export function stopping(lease: Lease): LongshoreError {
  return new LongshoreError('WORKER_STOPPING', 'The worker is stopping.', { details: { id: lease.id } });
}
