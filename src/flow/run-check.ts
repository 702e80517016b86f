import type { RunValue } from '../core/flow/run.ts';
import type { DuePlan } from '../store/plans.ts';

/** When runs look after their jobs (lost-parts.ts). */
export const RUN_CHECK_MS = 3_600_000;

/** When a run that has jobs looks after them: always the same times, so that most commits leave `wakeAt` as it is. */
export function checkAt({ startedAt, steps, phase }: RunValue, now: number): number | null {
  const runs = Object.values(steps).some(({ is, undo }) => is === 'running' || undo?.is === 'running');
  if (phase === 'ended' || !runs) return null;
  const first = Math.ceil(startedAt);
  return first + (Math.max(0, Math.floor((now - first) / RUN_CHECK_MS)) + 1) * RUN_CHECK_MS;
}

/** Whether the plan woke for that. */
export function isCheck({ wakeAt, reports }: DuePlan, { startedAt }: RunValue, now: number): boolean {
  if (wakeAt === null || wakeAt > now || reports.length > 0) return false;
  const sinceMs = wakeAt - Math.ceil(startedAt);
  return sinceMs > 0 && sinceMs % RUN_CHECK_MS === 0;
}
