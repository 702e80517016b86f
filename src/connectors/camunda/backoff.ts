import type { Clock } from '../../core/clock.ts';

const FIRST_MS = 100;
const LONGEST_MS = 5_000;

/** The wait before the next try after `failures` in a row: 100 ms, doubled, at most 5 s, half of it by chance, or what the engine asked for. */
export function backoffMs(failures: number, retryAfterMs: number | null, random: () => number): number {
  const ms = Math.min(FIRST_MS * 2 ** (failures - 1), LONGEST_MS) * (0.5 + random() / 2);
  return Math.max(ms, Math.min(retryAfterMs ?? 0, RETRY_AFTER_MAX_MS));
}

const RETRY_AFTER_MAX_MS = 60_000;

/** Resolves after `ms`, or as soon as the signal aborts. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal.addEventListener('abort', done);
  });
}
