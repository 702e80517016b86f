import type { LongshoreError } from '../core/errors.ts';
import type { Attempt } from './attempt.ts';
import type { ExecutorOptions } from './executor-options.ts';
import { facts } from './facts.ts';
import { HeartbeatWatch } from './heartbeat-watch.ts';
import { heartbeatMissed, timedOut } from './stop-reasons.ts';

const SLOW_SHARE = 0.8;

/** Aborts an attempt that runs too long or gives no sign of life. Its time counts from when its handler starts. */
export function watchTime(
  attempt: Attempt,
  { clock, events }: Pick<ExecutorOptions, 'clock' | 'events'>,
  abort: (reason: LongshoreError) => void,
): void {
  const timeoutMs = attempt.kept.timeoutMs ?? attempt.task?.timeoutMs ?? null;
  const heartbeatTimeoutMs = attempt.task?.heartbeatTimeoutMs ?? null;
  if ((timeoutMs === null && heartbeatTimeoutMs === null) || attempt.abortReason !== null) return;
  attempt.clearTimers();
  if (timeoutMs !== null) {
    const slow = (): void =>
      events.emit('job.slow', { ...facts(attempt.lease), runMs: timeoutMs * SLOW_SHARE, timeoutMs });
    const timeout = (): void => abort(timedOut(attempt.lease, timeoutMs));
    attempt.timers = [clock.after(timeoutMs * SLOW_SHARE, slow), clock.after(timeoutMs, timeout)];
  }
  if (heartbeatTimeoutMs !== null) {
    const missed = (): void => abort(heartbeatMissed(attempt.lease, heartbeatTimeoutMs));
    attempt.heartbeatWatch = new HeartbeatWatch(clock, heartbeatTimeoutMs, missed);
  }
}
