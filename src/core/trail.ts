import type { AttemptError } from './errors.ts';
import type { LogLine } from './job.ts';

/**
 * How much is kept of what happened to one job, however often it fails, is redriven or logs: of its errors the first,
 * which tell how it began, and the last; of its log lines the last. What is left out is counted. The audit trail is
 * kept whole, since only people add to it.
 */
export const ERRORS_KEPT_FIRST = 10;
export const ERRORS_KEPT_LAST = 90;
export const LOGS_KEPT = 1_000;

/** The trail in plain arrays, oldest first. */
export interface KeptTrail {
  readonly errors: AttemptError[];
  errorsOmitted: number;
  readonly logs: LogLine[];
  logsOmitted: number;
}

export function keepError(trail: KeptTrail, error: AttemptError): void {
  trail.errors.push(error);
  if (trail.errors.length <= ERRORS_KEPT_FIRST + ERRORS_KEPT_LAST) return;
  trail.errors.splice(ERRORS_KEPT_FIRST, 1);
  trail.errorsOmitted += 1;
}

export function keepLogs(trail: KeptTrail, lines: readonly LogLine[]): void {
  for (const line of lines) trail.logs.push(line);
  const over = trail.logs.length - LOGS_KEPT;
  if (over <= 0) return;
  trail.logs.splice(0, over);
  trail.logsOmitted += over;
}
